package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
	"github.com/meshfed/meshfed/traffic/load"
)

func (w *World) loadPhaseSteps(sc *godog.ScenarioContext) {
	sc.When(`^(\d+) times in turn, for (\d+) seconds each, (\d+) requests a second for each share arrive at (c\d):$`, w.loadInPhases)
	sc.When(`^(\d+) to (\d+) times in turn, for (\d+) seconds each, (\d+) requests a second for each share arrive at (c\d), until the difference of "([^"]+)" is known to (\d+) % of "([^"]+)" at p([\d.]+):$`, w.loadUntilKnown)
}

// phase is load that is sent for some time, then not, while that of the next
// phase is, and so on. What drifts on the machine meets all phases alike, and what
// one of them sends disturbs no other.
type phase struct {
	run
	as map[string]Caller
	// result is of all turns together.
	result load.Result
}

// turns is how often phases are sent.
type turns struct {
	least, most int
	// known says that least turns are enough, and is asked again after each one
	// more.
	known func([]*phase) bool
}

// loadInPhases sends each phase's load in turn, so many times.
func (w *World) loadInPhases(ctx context.Context, times, seconds, rate int, mesh string, table *godog.Table) error {
	phases, err := loadPhases(seconds, rate, mesh, table)
	if err != nil {
		return err
	}
	return w.sentInTurns(ctx, turns{least: times, most: times}, phases)
}

// loadUntilKnown sends as many turns as it takes to know the difference of two
// names that well, within bounds. Only how wide the interval is decides, never
// where it lies: to stop because of a result would choose it.
func (w *World) loadUntilKnown(
	ctx context.Context, least, most, seconds, rate int, mesh, what string, percent int, base, percentile string, table *godog.Table,
) error {
	if least > most {
		return fmt.Errorf("%d to %d times: the first must not be greater", least, most)
	}
	phases, err := loadPhases(seconds, rate, mesh, table)
	if err != nil {
		return err
	}
	q, err := quantile(percentile)
	if err != nil {
		return err
	}
	for _, name := range []string{what, base} {
		if !slices.ContainsFunc(phases, func(p *phase) bool { return p.sends(name) }) {
			return fmt.Errorf("%q is not in the table", name)
		}
	}
	return w.sentInTurns(ctx, turns{least: least, most: most, known: func(phases []*phase) bool {
		s := shifted{what: what, base: base, now: soFar(phases, what), old: soFar(phases, base), q: q}
		if !s.enough() {
			return false
		}
		low, high := s.interval()
		return (high-low)/2 <= s.old.Quantile(q)*float64(percent)/100
	}}, phases)
}

func (p *phase) sends(name string) bool {
	return slices.ContainsFunc(p.plan.Targets, func(t load.Target) bool { return t.Name == name })
}

// soFar are the latencies of a name in the turns that were sent.
func soFar(phases []*phase, name string) latency.Distribution {
	var all []reports.LatencyBucket
	for _, p := range phases {
		for _, s := range p.result.Of(name) {
			all = append(all, millisOf(s)...)
		}
	}
	return latency.New(all)
}

// sentInTurns sends the phases, and keeps what became of each.
func (w *World) sentInTurns(ctx context.Context, t turns, phases []*phase) error {
	made, failed := w.inTurns(ctx, t, phases)
	for _, p := range phases {
		p.plan.Count *= made
		if err := w.keep(p.run, p.result, failed); err != nil {
			return err
		}
	}
	return nil
}

// inTurns sends the phases in turn, and says how often. A turn whose generator was
// late is sent again. Its requests are marked as those of the other turns are, so
// that they are all looked for where they must not arrive.
func (w *World) inTurns(ctx context.Context, t turns, phases []*phase) (made int, err error) {
	for ; made < t.least || made < t.most && !t.known(phases) && timeFor(ctx, lasting(phases)); made++ {
		for i, p := range phases {
			p.rest = lasting(phases[i+1:]) + time.Duration(max(t.least-made-1, 0))*lasting(phases)
			one, err := w.valid(ctx, &p.run, func(ctx context.Context, plan load.Plan) (load.Result, error) {
				return w.Meshes.EdgeLoad(ctx, p.mesh, plan, p.as)
			}, func() {})
			p.result = p.result.And(one)
			if err != nil {
				return made + 1, err
			}
		}
	}
	return made, nil
}

// lasting is how long one turn of the phases takes.
func lasting(phases []*phase) time.Duration {
	var d time.Duration
	for _, p := range phases {
		d += p.plan.Duration()
	}
	return d
}

// loadPhases reads a table of load whose first column is the phase. A rate is
// that of a share.
func loadPhases(seconds, rate int, mesh string, table *godog.Table) ([]*phase, error) {
	if len(table.Rows) < 2 || table.Rows[0].Cells[0].Value != "phase" {
		return nil, errors.New(`a table of load in phases: want a heading that begins with "phase", and at least one row`)
	}
	var names []string
	tables := map[string]*godog.Table{}
	for _, row := range table.Rows[1:] {
		name := row.Cells[0].Value
		if tables[name] == nil {
			names = append(names, name)
			tables[name] = &godog.Table{Rows: []*messages.PickleTableRow{{Cells: table.Rows[0].Cells[1:]}}}
		}
		tables[name].Rows = append(tables[name].Rows, &messages.PickleTableRow{Cells: row.Cells[1:]})
	}
	since := time.Now()
	var phases []*phase
	for _, name := range names {
		plan, as, err := edgePlan(seconds, rate, tables[name])
		if err != nil {
			return nil, fmt.Errorf("phase %q: %w", name, err)
		}
		shares := 0
		for _, t := range plan.Targets {
			shares += max(t.Share, 1)
		}
		plan.Rate, plan.Count = plan.Rate*shares, plan.Count*shares
		what := fmt.Sprintf("requests that arrive at %s (%s)", mesh, name)
		phases = append(phases, &phase{run: run{what: what, mesh: mesh, plan: plan, since: since}, as: as})
	}
	return phases, nil
}
