package reportcmd

import (
	"crypto/ed25519"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

func sealCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "seal FOLDER",
		Short: "Write the report files and the seal of a run that ended without them",
		Long: "A run that is killed behind its last verdict, or finds the disk full there, has no report and no seal,\n" +
			"and has come to its end. This makes both from its journal, as the run itself would have. It refuses a\n" +
			"run that is still going, one of another version of conformance, and to take a signature away.",
		Example: "  conformance report seal out/latest --sign-key mesh.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var key ed25519.PrivateKey
			if file != "" {
				var err error
				if key, err = publish.ReadKey(file); err != nil {
					return usage.Errorf("--sign-key: %w", err)
				}
			}
			// It may be named by the link "latest", which may lead elsewhere meanwhile.
			path, err := filepath.EvalSymlinks(args[0])
			if err != nil {
				return usage.Errorf("seal: %w", err)
			}
			r, err := publish.Finish(cmd.Context(), reports.Folder{Path: path}, key)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\nsealed: %s\n", r.Headline(), r.Line(), path)
			return err
		},
	}
	c.Flags().StringVar(&file, "sign-key", "", "sign the report with this PEM `file` (conformance report keygen)")
	return c
}
