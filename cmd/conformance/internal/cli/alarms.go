package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/procfs"
	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/alarms"
)

// alarmFlags are the flags of false-alarms as given.
type alarmFlags struct {
	run            runFlags
	orders         int
	first          int64
	busy, more     bool
	results, write string
	limit          time.Duration
}

func (p Program) falseAlarms() *cobra.Command {
	f := alarmFlags{run: runFlags{provider: "embedded", repeat: 1, loadFrom: fromExec}}
	c := &cobra.Command{
		Use:   "false-alarms",
		Short: "Run the features in many orders on one lab, and see whether the verdicts differ",
		Long: "Every order is a run of its own, with a report of its own. With --busy every core has\n" +
			"something else to do all the time.\n\n" +
			"Exit codes: 0 all verdicts are alike, 1 some differ, 2 bad input, 3 inconclusive, 130 interrupted.",
		Example: "  conformance false-alarms --lab default --tags @core --orders 10 --busy",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.alarms(cmd, f) },
	}
	selectionFlags(c, &f.run.selection)
	c.Flags().StringVar(&f.run.engine, "engine", builtin.Name, "the `name` of the engine under test")
	c.Flags().StringVar(&f.run.lab, "lab", "", "use the lab of this `name` if it is up, else make it")
	c.Flags().IntVar(&f.run.clusters, "clusters", 2, "how many meshes a new lab has")
	c.Flags().StringVar(&f.run.out, "out", "out", "`folder` for the reports")
	c.Flags().DurationVar(&f.run.timeout, "timeout", time.Minute, "time-out of one scenario")
	c.Flags().IntVar(&f.orders, "orders", 10, "how `many`")
	c.Flags().Int64Var(&f.first, "first", 1, "the `seed` of the first order; each further one has the next")
	c.Flags().BoolVar(&f.busy, "busy", false, "keep every core busy meanwhile")
	c.Flags().BoolVar(&f.more, "more", false, "add to what --results has")
	c.Flags().StringVar(&f.results, "results", filepath.Join("out", "false-alarms.json"), "`file` of the orders, written after each")
	c.Flags().StringVar(&f.write, "write", "", "write the table as Markdown to this `file`")
	c.Flags().DurationVar(&f.limit, "limit", time.Hour, "begin no further order after this time")
	return c
}

func (p Program) alarms(cmd *cobra.Command, f alarmFlags) error {
	if f.orders < 1 || f.first < 1 {
		return usage.Errorf("--orders %d --first %d: want at least 1", f.orders, f.first)
	}
	var all []alarms.Order
	if f.more {
		text, err := os.ReadFile(f.results)
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err == nil {
			err = alarms.OfOneSuite(all, Version())
		}
		if err != nil {
			return usage.Errorf("--more: %s: %w", f.results, err)
		}
	}
	f.run.counted = cmd.Flags().Changed("clusters")
	chosen, err := p.choose(cmd.Context(), f.run)
	if err != nil {
		return usage.Bad(err)
	}
	at := &place{flags: f.run, provider: chosen.provider, engine: chosen.engine, errs: cmd.ErrOrStderr()}
	if err := at.open(cmd.Context()); err != nil {
		return err
	}
	_, err = at.prepare(cmd.Context())
	if err == nil {
		all, err = p.inOrders(cmd, f, at, all)
	}
	err = errors.Join(err, at.leave(context.WithoutCancel(cmd.Context())))
	if err != nil {
		return err
	}
	if f.write != "" {
		if err := writeFile(f.write, func(w io.Writer) error { return alarms.WriteMarkdown(w, all) }); err != nil {
			return err
		}
	}
	if err := alarms.WriteMarkdown(cmd.OutOrStdout(), all); err != nil {
		return err
	}
	if len(alarms.Alarms(all)) > 0 {
		return exitError(reports.ExitNonConformant)
	}
	return nil
}

// inOrders runs the suite once for each seed and keeps what came of it. That
// there was no time for some of them is an error: what was not played cannot be alike.
func (p Program) inOrders(cmd *cobra.Command, f alarmFlags, at *place, all []alarms.Order) ([]alarms.Order, error) {
	began := time.Now()
	end := f.first + int64(f.orders)
	for seed := f.first; seed < end; seed++ {
		if time.Since(began) >= f.limit {
			return all, fmt.Errorf("the time is over with %d orders to go: --more --first %d --orders %d goes on", end-seed, seed, end-seed)
		}
		s, err := p.suite(f.run, at.engine, cmd.ErrOrStderr())
		if err != nil {
			return all, err
		}
		s.ID, s.Seed = fmt.Sprintf("%s-order-%d", s.ID, seed), seed
		s.Prepare = func(context.Context) (suite.Bench, error) { return at.bench, nil }
		before := coresTime()
		report, err := p.oneOrder(cmd.Context(), s, f.busy)
		if err == nil && report.Interrupted {
			err = context.Cause(cmd.Context())
		}
		if err != nil {
			return all, err
		}
		one := alarms.Of(report, f.busy)
		one.CoresBusy = busyShare(before, coresTime())
		all = append(all, one)
		fmt.Fprintf(cmd.OutOrStdout(), "order %d: %s\n", seed, report.Line())
		if err := writeFile(f.results, func(w io.Writer) error { return json.NewEncoder(w).Encode(all) }); err != nil {
			return all, err
		}
		if report.ExitCode() == reports.ExitInconclusive {
			return all, fmt.Errorf("order %d: the environment would not let anybody judge: %s", seed, report.Line())
		}
	}
	return all, nil
}

func (p Program) oneOrder(ctx context.Context, s suite.Suite, busy bool) (reports.ConformanceReport, error) {
	if busy {
		stop, err := burn(ctx)
		if err != nil {
			return reports.ConformanceReport{}, err
		}
		defer stop()
	}
	return s.Run(ctx)
}

// coresTime is what all cores have done since the machine came up, in seconds; all
// zero if the system does not say.
func coresTime() procfs.CPUStat {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return procfs.CPUStat{}
	}
	stat, err := proc.Stat()
	if err != nil {
		return procfs.CPUStat{}
	}
	return stat.CPUTotal
}

// busyShare is the share of the cores' time between two looks in which they had
// something to do, be it for another machine on the same host; 0 if it is not known.
func busyShare(before, after procfs.CPUStat) float64 {
	used := func(s procfs.CPUStat) float64 { return s.User + s.Nice + s.System + s.IRQ + s.SoftIRQ + s.Steal }
	unused := func(s procfs.CPUStat) float64 { return s.Idle + s.Iowait }
	busy, idle := used(after)-used(before), unused(after)-unused(before)
	if before == (procfs.CPUStat{}) || busy+idle <= 0 {
		return 0
	}
	return busy / (busy + idle)
}
