package publish

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/meshfed/meshfed/reports"
)

// payloadType of the signed envelope (DSSE, as in-toto and Sigstore use it).
const payloadType = "application/vnd.meshfed.run-manifest+json"

// Seal writes the manifest of all that is in the folder and, with a key, the
// signed envelope around it. Nothing may be added to the folder afterwards.
// An earlier seal is replaced: a run that went on is another one.
func Seal(ctx context.Context, folder reports.Folder, key ed25519.PrivateKey) error {
	m, err := newManifest(folder.Path, folder.ID())
	if err != nil {
		return err
	}
	if key != nil {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		m.PublicKey = base64.StdEncoding.EncodeToString(der)
	}
	content, err := encode(m)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if err := folder.WriteFile(ManifestFile, content); err != nil {
		return err
	}
	if key == nil {
		err := os.Remove(filepath.Join(folder.Path, EnvelopeFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("seal: %w", err)
		}
		return nil
	}
	return sign(ctx, folder, key, content)
}

// Finish writes the report files and the seal of a run whose process did not
// come to that: it was killed behind its end, or the disk was full. All of it
// comes from the journal. A run that is still going is refused, one of another
// version, and taking a signature away.
func Finish(ctx context.Context, folder reports.Folder, key ed25519.PrivateKey) (reports.ConformanceReport, error) {
	release, err := reports.HoldJournal(folder.Journal())
	if err != nil {
		return reports.ConformanceReport{}, fmt.Errorf("seal: %w", err)
	}
	r, err := reports.Rebuild(folder.Journal())
	if err == nil {
		err = errors.Join(sameVersion(r), StaysSigned(folder, key))
	}
	if err == nil {
		err = Write(folder, r)
	}
	if err == nil {
		err = Seal(ctx, folder, key)
	}
	if err = errors.Join(err, release()); err != nil {
		return r, fmt.Errorf("seal %s: %w", folder.Path, err)
	}
	return r, nil
}

// StaysSigned refuses to seal without a key what was sealed with one: whoever
// trusts that key would find no signature any more.
func StaysSigned(folder reports.Folder, key ed25519.PrivateKey) error {
	if key != nil {
		return nil
	}
	content, err := os.ReadFile(filepath.Join(folder.Path, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var m Manifest
	if err == nil {
		err = decode(content, &m)
	}
	if err != nil {
		return fmt.Errorf("%s: whether the run is signed cannot be known: %w", ManifestFile, err)
	}
	if m.PublicKey != "" {
		return errors.New("the run is signed, and would not be any more: give its key by --sign-key")
	}
	return nil
}

func sign(ctx context.Context, folder reports.Folder, key ed25519.PrivateKey, content []byte) error {
	with, err := dsse.NewEnvelopeSigner(signer{key})
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	envelope, err := with.SignPayload(ctx, payloadType, content)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	text, err := encode(envelope)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return folder.WriteFile(EnvelopeFile, text)
}
