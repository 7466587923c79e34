package publish

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/meshfed/meshfed/reports"
)

// Signature says what the signature of a run proves.
type Signature string

// What it can prove.
const (
	// Unsigned: the digests show an accident, but whoever changes a file can
	// change its digest too.
	Unsigned Signature = "unsigned"
	// SelfSigned: signed by the key that the manifest itself names. Whose
	// key that is has to be learned elsewhere.
	SelfSigned Signature = "signed by the key it names"
	// Trusted: signed by the key that the verifier was given.
	Trusted Signature = "signed by the given key"
)

// Verified is what a verification went through.
type Verified struct {
	Report    reports.ConformanceReport
	Signature Signature
	// Files and Verdicts are how many were checked.
	Files, Verdicts int
}

// Verify recomputes what a run says from what it recorded: digests and
// signature, then every verdict, count and profile from the journal, then
// every report file from those. The error tells all that does not agree. With
// a trusted key, a run that is not signed by it is an error.
func Verify(ctx context.Context, path string, trusted ed25519.PublicKey) (Verified, error) {
	// It may be named by the link "latest".
	whole, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Verified{}, fmt.Errorf("verify: %w", err)
	}
	folder := reports.Folder{Path: whole}
	m, signature, err := verifySeal(ctx, folder, trusted)
	if err != nil {
		return Verified{}, fmt.Errorf("verify %s: %w", path, err)
	}
	v := Verified{Signature: signature, Files: len(m.Files)}
	if err := verifyDigests(folder, m); err != nil {
		return v, fmt.Errorf("verify %s: %w", path, err)
	}
	if v.Report, err = reports.Rebuild(folder.Journal()); err != nil {
		return v, fmt.Errorf("verify %s: %w", path, err)
	}
	v.Verdicts = len(v.Report.Scenarios)
	err = errors.Join(verifyRun(m, v.Report), verifyVerdicts(v.Report), verifyEvidence(m, v.Report), verifyOutputs(folder, v.Report))
	if err != nil {
		return v, fmt.Errorf("verify %s: %w", path, err)
	}
	return v, nil
}

func verifySeal(ctx context.Context, folder reports.Folder, trusted ed25519.PublicKey) (Manifest, Signature, error) {
	var m Manifest
	content, err := os.ReadFile(filepath.Join(folder.Path, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, "", unsealed(folder)
	}
	if err != nil {
		return m, "", err
	}
	if err := decode(content, &m); err != nil {
		return m, "", fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if m.APIVersion != reports.APIVersion || m.Kind != ManifestKind {
		return m, "", fmt.Errorf("%s is %s %s: want %s %s", ManifestFile, m.APIVersion, m.Kind, reports.APIVersion, ManifestKind)
	}
	sealed, err := os.ReadFile(filepath.Join(folder.Path, EnvelopeFile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && m.PublicKey == "" && trusted == nil:
		return m, Unsigned, nil
	case errors.Is(err, fs.ErrNotExist):
		return m, "", fmt.Errorf("%s is missing: want a signed run", EnvelopeFile)
	case err != nil:
		return m, "", err
	}
	signature, key := Trusted, trusted
	if trusted == nil {
		signature = SelfSigned
		if key, err = named(m); err != nil {
			return m, "", err
		}
	}
	return m, signature, verifyEnvelope(ctx, sealed, content, key)
}

// unsealed says what is to be done about a run without a seal.
func unsealed(folder reports.Folder) error {
	r, err := reports.Rebuild(folder.Journal())
	switch {
	case err != nil:
		return fmt.Errorf("%s is missing: %w", ManifestFile, err)
	case r.Finished.IsZero():
		return fmt.Errorf("%s is missing: the run was killed before its end; conformance run --resume %s goes on with it", ManifestFile, r.ID)
	}
	return fmt.Errorf("%s is missing: the run has come to its end and was not sealed; this seals it: conformance report seal %s", ManifestFile, folder.Path)
}

// sameVersion refuses a run of another version than this: that one may write the
// files otherwise, and is the one by which they can be verified.
func sameVersion(r reports.ConformanceReport) error {
	if now := reports.Version(); r.SuiteVersion != now {
		return fmt.Errorf("the run is of conformance %s and this is %s: use that version", r.SuiteVersion, now)
	}
	return nil
}

// named is the key that the manifest names.
func named(m Manifest) (ed25519.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(m.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%s: public key: %w", ManifestFile, err)
	}
	return parsePublic(der)
}

func verifyEnvelope(ctx context.Context, sealed, manifest []byte, key ed25519.PublicKey) error {
	var envelope dsse.Envelope
	if err := decode(sealed, &envelope); err != nil {
		return fmt.Errorf("%s: %w", EnvelopeFile, err)
	}
	id, err := verifier{key}.KeyID()
	if err != nil {
		return fmt.Errorf("%s: %w", EnvelopeFile, err)
	}
	if envelope.PayloadType != payloadType || len(envelope.Signatures) != 1 || envelope.Signatures[0].KeyID != id {
		return fmt.Errorf("%s: want one signature by key %s over %s", EnvelopeFile, id, payloadType)
	}
	with, err := dsse.NewEnvelopeVerifier(verifier{key})
	if err != nil {
		return fmt.Errorf("%s: %w", EnvelopeFile, err)
	}
	_, payload, err := with.VerifyAndDecode(ctx, &envelope)
	if err != nil {
		return fmt.Errorf("%s: %w", EnvelopeFile, err)
	}
	if !bytes.Equal(payload, manifest) ||
		// Base64 can spell the same bytes in several ways; one is ours.
		envelope.Payload != base64.StdEncoding.EncodeToString(payload) {
		return fmt.Errorf("%s: it does not hold %s", EnvelopeFile, ManifestFile)
	}
	return nil
}

// verifyDigests compares the folder with the manifest, both ways.
func verifyDigests(folder reports.Folder, m Manifest) error {
	found, err := newManifest(folder.Path, m.Run)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range found.Files {
		at := slices.IndexFunc(m.Files, func(one FileDigest) bool { return one.Path == f.Path })
		switch {
		case at < 0:
			errs = append(errs, fmt.Errorf("%s is not in the manifest: it was added", f.Path))
		case m.Files[at] != f:
			errs = append(errs, fmt.Errorf("%s has been changed: SHA-256 is %s, was %s", f.Path, f.SHA256, m.Files[at].SHA256))
		}
	}
	for _, f := range m.Files {
		if !slices.ContainsFunc(found.Files, func(one FileDigest) bool { return one.Path == f.Path }) {
			errs = append(errs, fmt.Errorf("%s is missing", f.Path))
		}
	}
	if len(found.Files) != len(m.Files) && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("the manifest lists %d files, there are %d", len(m.Files), len(found.Files)))
	}
	return errors.Join(errs...)
}

// verifyRun: the journal is of this run, and holds all that an end promises. A
// run that was cut short promises nothing, and its headline says so.
func verifyRun(m Manifest, r reports.ConformanceReport) error {
	if m.Run != r.ID {
		return fmt.Errorf("the manifest is of run %q, the journal of %q", m.Run, r.ID)
	}
	ended := !r.Finished.IsZero() && !r.Interrupted && r.SetupError == ""
	if why := r.Incomplete(); ended && why != "" {
		return fmt.Errorf("run %s: it says that it ended, but %s: verdicts were taken out of, or never reached, %s; run it again", r.ID, why, reports.JournalFile)
	}
	return nil
}

func verifyVerdicts(r reports.ConformanceReport) error {
	var errs []error
	for _, s := range r.Scenarios {
		if follows := reports.Rejudge(s); follows != s.Verdict {
			errs = append(errs, fmt.Errorf("scenario %s: its verdict is %s, but from its record follows %s", s.ID, s.Verdict, follows))
		}
		// One attempt that fails is a failure, however many were made; a pass is all of them.
		if made := len(s.Attempts); s.Verdict == reports.Passed && r.Repeat > 1 && made < r.Repeat {
			errs = append(errs, fmt.Errorf("scenario %s: it passed in %d attempts, want %d", s.ID, made, r.Repeat))
		}
	}
	return errors.Join(errs...)
}

// verifyEvidence: each piece of evidence is what it was when the verdict fell.
func verifyEvidence(m Manifest, r reports.ConformanceReport) error {
	var errs []error
	for _, s := range r.Scenarios {
		for _, e := range s.Evidence {
			if !slices.Contains(m.Files, FileDigest(e)) {
				errs = append(errs, fmt.Errorf("scenario %s: evidence %s is not what it was when the verdict fell", s.ID, e.Path))
			}
		}
	}
	return errors.Join(errs...)
}

var errOtherwise = errors.New("it does not say what the journal says")

// verifyOutputs makes each report file once more.
func verifyOutputs(folder reports.Folder, r reports.ConformanceReport) error {
	var errs []error
	for _, o := range outputs(os.DirFS(folder.Path)) {
		var again bytes.Buffer
		written, err := os.ReadFile(filepath.Join(folder.Path, o.name))
		if err == nil {
			err = o.write(&again, r)
		}
		if err == nil && !bytes.Equal(written, again.Bytes()) {
			err = errOtherwise
			if version := sameVersion(r); version != nil {
				err = fmt.Errorf("%w: %w", err, version)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.name, err))
		}
	}
	return errors.Join(errs...)
}
