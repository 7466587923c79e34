package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/reports"
)

// kneeSteps is more than a knee takes at five seconds each, clean-up included.
const kneeSteps = 3 * time.Minute

// load is run with a feature that is made out of the flags: so what it measures
// is journaled, drawn, signed, verified and compared like all that is measured.
func (p Program) load() *cobra.Command {
	var f runFlags
	var m features.Measurement
	var duration time.Duration
	c := &cobra.Command{
		Use:   "load",
		Short: "Measure latencies and refusals under load, at the rates that you want",
		Long: "Sends requests through both private gateways by turns with requests within the mesh, in an open model, each\n" +
			"timed from the moment at which it was meant to be sent. Prints by how much the gateways add to p50, p90, p99\n" +
			"and p99.9, with intervals, and what each proxy on the way takes. The report is one like that of run.\n" +
			"Ctrl-C ends it and prints what was measured so far.\n\n" +
			"Exit codes: 0 every request ended as it should, 1 some did not, 2 bad input,\n" +
			"3 inconclusive (the generator itself was late: INVALID), 130 interrupted.",
		Example: "  conformance load --rates 50,100,200 --duration 30s\n" +
			"  conformance load --rates 100 --knee 3000\n" +
			"  conformance load --lab default --rates 100 --refusals --connections fresh",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := readOptions(cmd); err != nil {
				return usage.Bad(err)
			}
			m.Seconds = int(duration / time.Second)
			made, err := features.Measure(m)
			if err != nil {
				return usage.Errorf("load: %w", err)
			}
			f.features = made
			// As long as the measuring, and as much again for what is around it.
			f.timeout = 4*duration + time.Minute
			if m.Ceiling > 0 {
				f.timeout += kneeSteps
			}
			return p.start(cmd, f)
		},
	}
	placeFlags(c, &f, p)
	c.Flags().String(optionsFlag, "", "YAML `file` of options by the names of flags; flags win")
	c.Flags().StringVar(&f.signKey, "sign-key", "", "sign the report with this PEM `file` (conformance report keygen)")
	c.Flags().IntSliceVar(&m.Rates, "rates", []int{50, 100, 200}, "requests a second of each kind, rising")
	c.Flags().DurationVar(&duration, "duration", 10*time.Second, "how long each rate lasts, in whole seconds")
	c.Flags().StringVar(&m.Protocol, "protocol", "HTTP/1.1", "HTTP/1.1 or HTTP/2")
	c.Flags().StringVar(&m.Connections, "connections", "kept", "kept, or fresh: a handshake for each request")
	c.Flags().IntVar(&m.Ceiling, "knee", 0, "raise the rate from the lowest to at most this, until it is not carried any more")
	c.Flags().BoolVar(&m.Refusals, "refusals", false, "measure also what refusals cost, and what a denied peer at ten times the rate does to others")
	f.repeat = 1
	return c
}

// writeFigures is what was measured, for those who asked for nothing else.
func writeFigures(w io.Writer, r reports.ConformanceReport) error {
	for _, s := range r.Scenarios {
		for _, line := range s.Figures.Lines() {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return fmt.Errorf("write figures: %w", err)
			}
		}
	}
	return nil
}
