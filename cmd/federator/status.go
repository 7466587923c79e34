package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
)

func statusCommand() *cobra.Command {
	var c cluster
	cmd := &cobra.Command{
		Use:   "status -f FILE_OR_FOLDER",
		Short: "Compare each declaration with the cluster",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				s, err := e.Status(ctx, spec)
				if err != nil {
					return err
				}
				return write(cmd.OutOrStdout(), c.output, s, func(w *page) { w.status(s) })
			})
		},
	}
	c.flags(cmd)
	return cmd
}
