package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
)

func applyCommand() *cobra.Command {
	var c cluster
	mode := dryRun{federator.DryRunNone}
	cmd := &cobra.Command{
		Use:   "apply -f FILE_OR_FOLDER",
		Short: "Make the cluster hold exactly these declarations; prune what they no longer have",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				got, err := e.Apply(ctx, spec, mode.DryRun)
				return report(cmd, c.output, got, err)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().Var(&mode, "dry-run", "none, client (predict here) or server (rehearse at the API server)")
	return cmd
}

// report prints a result; after an error that came half-way it says so, because
// the cluster has changed.
func report(cmd *cobra.Command, format outputFormat, got federator.Result, err error) error {
	if err != nil {
		if got.Writes > 0 {
			return fmt.Errorf("stopped after %d writes (run again to go on): %w", got.Writes, err)
		}
		return err
	}
	return write(cmd.OutOrStdout(), format, got, func(w *page) { w.result(got) })
}
