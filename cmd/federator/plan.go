package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
)

func planCommand() *cobra.Command {
	var c cluster
	var exitCode bool
	cmd := &cobra.Command{
		Use:   "plan -f FILE_OR_FOLDER",
		Short: "Show what apply would change, and who gains or loses what",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				p, err := e.Plan(ctx, spec)
				if err != nil {
					return err
				}
				if err := write(cmd.OutOrStdout(), c.output, p, func(w *page) { w.plan(p, true) }); err != nil {
					return err
				}
				if exitCode && p.HasChanges() {
					return errChanges
				}
				return nil
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 when there are changes")
	return cmd
}
