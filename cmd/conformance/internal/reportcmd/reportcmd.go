// Package reportcmd is `conformance report`: what can be done with the folder
// of a run when the meshes are long gone.
package reportcmd

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

// ErrRefused means that a report did not stand the examination: not bad input,
// but the answer.
var ErrRefused = errors.New("refused")

// New is the command.
func New() *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "Verify, compare, sign and submit the reports of runs",
	}
	c.AddCommand(verify(), sealCommand(), compareCommand(), revocations(), submission(), keygen(), schemaCommand())
	return c
}

func verify() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "verify FOLDER",
		Short: "Recompute every verdict, count and file of a run from what it recorded",
		Long: "Checks the digests of all files and the signature, recomputes every verdict from the recorded steps,\n" +
			"faults and figures, every count and profile from the verdicts, and makes every report file once more.\n" +
			"A run that says it ended has to have a verdict for each scenario that was selected.\n" +
			"One changed byte anywhere is an error. Use the version of conformance that made the run.",
		Example: "  conformance report verify out/latest --key vendor.pub",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var trusted ed25519.PublicKey
			if key != "" {
				var err error
				if trusted, err = publish.ReadPublicKey(key); err != nil {
					return usage.Errorf("--key: %w", err)
				}
			}
			if err := isRun(args[0], reports.JournalFile, publish.ManifestFile); err != nil {
				return err
			}
			v, err := publish.Verify(cmd.Context(), args[0], trusted)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrRefused, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\nverified: %d files, %d verdicts recomputed, %s\n",
				v.Report.Headline(), v.Report.Line(), v.Files, v.Verdicts, v.Signature)
			return err
		},
	}
	c.Flags().StringVar(&key, "key", "", "the vendor's public key, a PEM `file`; without it the key that the run names is used")
	return c
}

func keygen() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make an Ed25519 key to sign runs with: FILE, and FILE.pub to publish",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := publish.NewKey(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "keep %s to yourself; publish %s.pub\n", args[0], args[0])
			return err
		},
	}
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of report.json and report.yaml",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(reports.Schema())
			return err
		},
	}
}

func submission() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:     "check-submission FOLDER",
		Short:   "Check a vendor's submission by the rules of SUBMITTING.md",
		Example: "  conformance report check-submission submissions/v1alpha1/example-mesh/v1.4.0",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			faults, err := publish.CheckSubmission(cmd.Context(), args[0], key)
			if err != nil {
				// Only a folder that cannot be read is no answer.
				return usage.Bad(err)
			}
			if len(faults) > 0 {
				return fmt.Errorf("%w: %d faults:\n  %s", ErrRefused, len(faults), strings.Join(faults, "\n  "))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: a valid submission\n", args[0])
			return err
		},
	}
	c.Flags().StringVar(&key, "key", "", "the vendor's public key, a PEM `file`; default: key.pub of the submission")
	return c
}
