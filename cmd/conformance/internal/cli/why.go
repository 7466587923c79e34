package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench"
)

// whyFlags are the flags of why.
type whyFlags struct {
	provider, lab, mesh string
	// run is the folder of a run whose scenario is asked about, instead of a request.
	run     string
	request steps.Request
	json    bool
}

// whyLimit bounds the whole command: one request, and logs that are written with
// a delay.
const whyLimit = 30 * time.Second

func (p Program) why() *cobra.Command {
	var f whyFlags
	c := &cobra.Command{
		Use:   "why (--in MESH [METHOD] URL | --run FOLDER SCENARIO)",
		Short: "Name the layer that breaks a request, or has broken a scenario",
		Long: "Sends one request from a workload of a mesh and reads what every proxy on its way says about it;\n" +
			"or, with --run, reads what the evidence of a scenario says about its last request that was not answered.\n" +
			"The layer that breaks it is one of: " + layers() + ".\n" +
			"What is federated stays as it is; nothing is written. Exit code 1 if something is broken.\n" +
			"On clusters that exist the request comes from what a run with --keep has left there.",
		Example: "  conformance why --lab default --in c1 http://reviews:9080/reviews/0\n" +
			"  conformance why --provider existing --context c1=one --context c2=two --in c1 http://reviews:9080/reviews/0\n" +
			"  conformance why --run out/latest consume/all-reviews-come-from-c2",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.run != "" {
				return f.scenario(cmd, args)
			}
			f.request.Method, f.request.URL = "GET", args[len(args)-1]
			if len(args) == 2 {
				f.request.Method = args[0]
			}
			if !strings.HasPrefix(f.request.URL, "http://") {
				return usage.Errorf("the URL %q: workloads speak plain HTTP to their sidecars; write http://NAME:PORT/PATH", f.request.URL)
			}
			d, err := p.diagnose(cmd.Context(), f)
			if err != nil {
				return err
			}
			return f.end(cmd, d)
		},
	}
	places := p.upFlags(c, &f.provider, &f.lab)
	c.Flags().StringVar(&f.mesh, "in", "c1", "the `mesh` whose workload asks")
	c.Flags().StringVar(&f.request.From, "from", "", "the `workload` that asks, by its label app (default: sleep)")
	c.Flags().StringVar(&f.request.User, "user", "", "who is signed in")
	c.Flags().StringVar(&f.run, "run", "", "the `folder` of a run, to ask about a scenario of it")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	for _, asks := range append(places, "in", "from", "user") {
		c.MarkFlagsMutuallyExclusive("run", asks)
	}
	return c
}

// scenario judges from evidence.
func (f whyFlags) scenario(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage.Errorf("with --run: write one scenario, by its id")
	}
	d, request, err := bench.WhyOf(filepath.Join(f.run, reports.EvidenceDir, filepath.FromSlash(args[0])))
	if err != nil {
		return usage.Bad(err)
	}
	if !f.json {
		fmt.Fprintln(cmd.OutOrStdout(), request)
	}
	return f.end(cmd, d)
}

// end prints a diagnosis; something broken ends with its own code.
func (f whyFlags) end(cmd *cobra.Command, d steps.Diagnosis) error {
	if err := f.print(cmd, d); err != nil {
		return err
	}
	if d.Layer != steps.LayerNone {
		return exitError(reports.ExitNonConformant)
	}
	return nil
}

func layers() string {
	var out []string
	for _, l := range steps.Layers() {
		out = append(out, string(l))
	}
	return strings.Join(out, ", ")
}

func (p Program) diagnose(ctx context.Context, f whyFlags) (_ steps.Diagnosis, err error) {
	lab, leave, err := p.up(ctx, f.provider, f.lab)
	if err != nil {
		return steps.Diagnosis{}, err
	}
	defer func() { err = errors.Join(err, leave()) }()
	ctx, cancel := context.WithTimeoutCause(ctx, whyLimit, errors.New("the proxies have not told in time"))
	defer cancel()
	return bench.Why(ctx, lab, f.mesh, f.request)
}

func (f whyFlags) print(cmd *cobra.Command, d steps.Diagnosis) error {
	if f.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(d)
	}
	for _, line := range d.Way {
		fmt.Fprintln(cmd.OutOrStdout(), " ", line)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "broken: %s\n", d)
	return err
}
