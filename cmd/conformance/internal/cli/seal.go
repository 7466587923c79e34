package cli

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

// seal closes the run's folder. It is done after an interrupt as well.
func seal(cmd *cobra.Command, path, keyFile string) error {
	var key ed25519.PrivateKey
	if keyFile != "" {
		var err error
		if key, err = publish.ReadKey(keyFile); err != nil {
			return fmt.Errorf("--sign-key: %w", err)
		}
	}
	return publish.Seal(context.WithoutCancel(cmd.Context()), reports.Folder{Path: path}, key)
}
