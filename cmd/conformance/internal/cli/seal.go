package cli

import (
	"context"
	"crypto/ed25519"
	"fmt"
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

// seal closes the run's folder. It is done after an interrupt as well.
func seal(ctx context.Context, path string, key ed25519.PrivateKey) error {
	if err := publish.Seal(context.WithoutCancel(ctx), reports.Folder{Path: path}, key); err != nil {
		return fmt.Errorf("%w; when that is mended, this seals the run: conformance report seal %s", err, path)
	}
	return nil
}
