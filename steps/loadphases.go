package steps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"

	"github.com/meshfed/meshfed/traffic/load"
)

func (w *World) loadPhaseSteps(sc *godog.ScenarioContext) {
	sc.When(`^(\d+) times in turn, for (\d+) seconds each, (\d+) requests a second for each share arrive at (c\d):$`, w.loadInPhases)
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

// loadInPhases sends each phase's load in turn, so many times.
func (w *World) loadInPhases(ctx context.Context, times, seconds, rate int, mesh string, table *godog.Table) error {
	phases, err := loadPhases(seconds, rate, mesh, table)
	if err != nil {
		return err
	}
	failed := w.inTurns(ctx, times, phases)
	for _, p := range phases {
		p.plan.Count *= times
		if err := w.keep(p.run, p.result, failed); err != nil {
			return err
		}
	}
	return nil
}

// inTurns sends a turn again whose generator was late. Its requests are marked as
// those of the other turns are, so that they are all looked for where they must not
// arrive.
func (w *World) inTurns(ctx context.Context, times int, phases []*phase) error {
	left := times * len(phases)
	for range times {
		for _, p := range phases {
			left--
			p.rest = time.Duration(left) * p.plan.Duration()
			one, err := w.valid(ctx, &p.run, func(ctx context.Context, plan load.Plan) (load.Result, error) {
				return w.Meshes.EdgeLoad(ctx, p.mesh, plan, p.as)
			}, func() {})
			p.result = p.result.And(one)
			if err != nil {
				return err
			}
		}
	}
	return nil
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
