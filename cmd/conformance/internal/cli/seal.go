package cli

import (
	"context"
	"crypto/ed25519"

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

// seal closes the run's folder. It is done after an interrupt as well.
func seal(ctx context.Context, path string, key ed25519.PrivateKey) error {
	return publish.Seal(context.WithoutCancel(ctx), reports.Folder{Path: path}, key)
}
