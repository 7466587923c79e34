package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
)

// errFindings is the end of a verify that proved nothing: what it found is on
// the page already.
var errFindings = errors.New("what is reachable is not what is declared")

func verifyCommand() *cobra.Command {
	var c cluster
	cmd := &cobra.Command{
		Use:   "verify -f FILE_OR_FOLDER",
		Short: "Prove that what is reachable at the gateways is what is declared, and list anything else",
		Long: `Prove that what is reachable at the gateways is what is declared, and list anything else.

It holds against the declarations, each by itself: the objects that bear on the
boundary, whoever made them, and what every ready pod of the private gateways
really runs (Envoy's configuration). It ends with code 2 if there is a finding.

It writes nothing. It may list Services and Istio's objects in all namespaces, and
in the gateways' namespace get ConfigMaps, list pods and create pods/portforward.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				got, err := e.Verify(ctx, spec)
				if err != nil {
					return err
				}
				if err := write(cmd.OutOrStdout(), c.output, got, func(w *page) { w.verification(got) }); err != nil {
					return err
				}
				if !got.Proven() {
					return errFindings
				}
				return nil
			})
		},
	}
	c.flags(cmd)
	return cmd
}

func (p *page) verification(in federator.Verification) {
	for _, f := range in.Findings {
		p.line("%s", f)
	}
	for _, warning := range in.Warnings {
		p.line("warning: %s", warning)
	}
	p.line("mesh %s: compared %d objects and %d of others; %d gateway pods with %d grants, %d routes, %d clusters", in.Mesh,
		in.Objects, in.Foreign, len(in.Gateways), in.Grants, in.Routes, in.Clusters)
	if in.Proven() {
		p.line("mesh %s: what is reachable is what is declared", in.Mesh)
		return
	}
	p.line("mesh %s: %d findings", in.Mesh, len(in.Findings))
}
