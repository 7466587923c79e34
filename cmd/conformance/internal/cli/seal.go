package cli

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

// signingKey is the key of --sign-key, nil if there is none. It is read before
// anything is made: a run that cannot be sealed can neither be verified nor
// gone on with.
func signingKey(file string) (ed25519.PrivateKey, error) {
	if file == "" {
		return nil, nil
	}
	key, err := publish.ReadKey(file)
	if err != nil {
		return nil, usage.Errorf("--sign-key: %w", err)
	}
	return key, nil
}

// keepsSignature refuses to go on without a key with a run that was signed: its
// seal is made anew when it ends. It is asked before anything is made.
func keepsSignature(f runFlags, key ed25519.PrivateKey) error {
	if f.resume == "" {
		return nil
	}
	if err := publish.StaysSigned(reports.Folder{Path: filepath.Join(f.out, f.resume)}, key); err != nil {
		return usage.Errorf("--resume %s: %w", f.resume, err)
	}
	return nil
}

// seal closes the run's folder. It is done after an interrupt as well. The run has
// ended, and anybody may have gone on with it or sealed it since: whoever has it
// now seals it, and a signature stays.
func seal(ctx context.Context, errs io.Writer, path string, key ed25519.PrivateKey) error {
	folder := reports.Folder{Path: path}
	release, err := reports.HoldJournal(folder.Journal())
	if errors.Is(err, reports.ErrGoing) {
		fmt.Fprintf(errs, "conformance: somebody else has %s by now, and is left to seal it; if there is no seal afterwards: conformance report seal %s\n", path, path)
		return nil
	}
	if err == nil {
		err = publish.StaysSigned(folder, key)
		if err == nil {
			err = publish.Seal(context.WithoutCancel(ctx), folder, key)
		}
		err = errors.Join(err, release())
	}
	if err != nil {
		return fmt.Errorf("%w; when that is mended, this seals the run: conformance report seal %s", err, path)
	}
	return nil
}
