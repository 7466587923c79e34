package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
)

// errDisagrees is the end of an explain whose gateway does something else than
// is declared: the page says what.
var errDisagrees = errors.New("the gateway does not do what is declared")

func explainCommand() *cobra.Command {
	var c cluster
	var q federator.Question
	cmd := &cobra.Command{
		Use:   "explain -f FILE_OR_FOLDER {--peer PEER | --host CONSUMED_NAME} --path PATH [--method METHOD]",
		Short: "Say what becomes of a request, and which rule, object and part of Envoy decide",
		Long: `Say what becomes of a request, and which rule, object and part of Envoy decide.

A peer's request (--peer) is followed through what each ready pod of the ingress
gateway really runs, and through the declarations. That of a workload of this
mesh for a name that a Consumption serves (--host ratings, or ratings.default) is
followed through the objects that lead it out, through what each ready pod of the
egress gateway runs, and through what that has counted and logged about the peer
in the last 15 minutes: what becomes of it over there, explain says over there.

The request is not sent. The command ends with code 2 if what is declared and
what is done do not agree.

It writes nothing. In the gateways' namespace it may get Services and pods/log,
list pods and create pods/portforward; it may list Services and Istio's
VirtualServices, DestinationRules and ServiceEntries.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				got, err := e.Explain(ctx, spec, q)
				if err != nil {
					return err
				}
				if err := write(cmd.OutOrStdout(), c.output, got, func(w *page) { w.explanations(got) }); err != nil {
					return err
				}
				for _, a := range got {
					if !a.Agrees() {
						return errDisagrees
					}
				}
				return nil
			})
		},
	}
	c.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&q.Peer, "peer", "", "the peer that asks, by name; without it, a caller that has no certificate")
	f.StringVar(&q.Method, "method", "GET", "the request's method")
	f.StringVar(&q.Path, "path", "", "the request's path (required)")
	f.StringVar(&q.SNI, "sni", "", "server name in the handshake (default: this mesh's host)")
	f.StringVar(&q.Host, "host", "", "authority of the request (default: this mesh's host); without --peer, a name that a Consumption serves")
	f.StringToStringVar(&q.Headers, "header", nil, "headers of the request, NAME=VALUE")
	_ = cmd.MarkFlagRequired("path") // cannot fail: the flag was just made
	return cmd
}

func (p *page) explanations(list []federator.Explanation) {
	for i, a := range list {
		if i > 0 {
			p.line("")
		}
		p.line("%s", a.Request)
		p.line("gateway pod %s", a.Pod)
		declared := "nothing declared allows it"
		if a.Declared {
			declared = "allowed by " + a.By
		}
		p.line("  %-15s  %s", "declared", declared)
		for _, s := range a.Steps {
			sign := "ok"
			if !s.Passed {
				sign = "END"
			}
			p.line("  %-15s  %-3s %s", s.Layer, sign, s.Story)
			by := s.By
			if s.Object != "" {
				by += "; made from " + s.Object
			}
			p.line("  %-15s      by %s", "", by)
		}
		p.line("%s", verdict(a))
	}
}

func verdict(a federator.Explanation) string {
	switch {
	case a.Declared && a.Reaches:
		return "it reaches " + a.Goal + ", as declared"
	case a.Declared:
		return "it does not reach " + a.Goal + " although it is declared; the broken layer: " + string(a.Broken())
	case a.Reaches:
		return "IT REACHES " + strings.ToUpper(a.Goal) + " ALTHOUGH NOTHING DECLARED ALLOWS IT; run federator verify"
	}
	return "it does not reach " + a.Goal + ", as nothing declared allows it"
}
