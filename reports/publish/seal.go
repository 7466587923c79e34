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
