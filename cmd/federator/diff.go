package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
)

func diffCommand() *cobra.Command {
	var c cluster
	cmd := &cobra.Command{
		Use:   "diff -f FILE_OR_FOLDER",
		Short: "Show how the cluster's objects have drifted from the declarations, and who changed them",
		Long: `Show how the cluster's objects have drifted from the declarations, and who changed them.

Unlike plan it shows every field that says something else, also those that an
apply would leave because another manager has added them; and it needs no right to
write. It ends with code 2 if there is a difference, with 3 if an object of
another owner stands in the place of one of these.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				got, err := e.Diff(ctx, spec)
				if err != nil {
					return err
				}
				if err := write(cmd.OutOrStdout(), c.output, got, func(w *page) { w.drift(got) }); err != nil {
					return err
				}
				if len(got.Conflicts) > 0 {
					return got.Conflicts[0]
				}
				if got.HasChanges() {
					return errChanges
				}
				return nil
			})
		},
	}
	c.flags(cmd)
	return cmd
}

func (p *page) drift(in federator.Plan) {
	for _, c := range in.Changes {
		if c.Action == federator.ActionUnchanged {
			continue
		}
		p.line("diff %s (%s)", c.Object, strings.Join(c.DeclaredBy, ", "))
		for _, by := range c.ChangedBy {
			p.line("changed by %s", by)
		}
		p.WriteString(c.Diff)
	}
	for _, r := range in.Left {
		p.line("%s is somebody else's by now", r)
	}
}
