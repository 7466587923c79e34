package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic/load"
)

func (w *World) loadCostSteps(sc *godog.ScenarioContext) {
	sc.Then(`^what "([^"]+)" costs the ingress gateway of (c\d) is told$`, w.costTold)
}

// meter is processor time of a gateway: a reading, or the difference of two.
type meter struct {
	used time.Duration
	err  error
}

// meter reads how much a gateway has used. Whether that can be known is for
// the sentence that asks for it.
func (w *World) meter(ctx context.Context, mesh string) meter {
	used, err := w.Meshes.IngressCPU(ctx, mesh)
	return meter{used, err}
}

// costed notes what a run cost, of whom that can be said.
func (w *World) costed(plan load.Plan, before, after meter) {
	for _, t := range plan.Targets {
		c := meter{used: after.used - before.used, err: errors.Join(before.err, after.err)}
		if len(plan.Targets) > 1 {
			c.err = errors.New("it was sent by turns with others: what it costs alone is not known")
		}
		w.costs[t.Name] = c
	}
}

func (w *World) costTold(_ context.Context, name, mesh string) error {
	one, err := w.loadOf(name)
	if err != nil {
		return err
	}
	c, at := w.costs[name]
	if !at || one.mesh != mesh {
		return fmt.Errorf("%q did not arrive at %s", name, mesh)
	}
	if c.err != nil {
		return inconclusive(fmt.Errorf("cost of %q: %w", name, c.err))
	}
	var outcomes []string
	for _, class := range classesOf(name, one.samples) {
		outcomes = append(outcomes, class.Outcome)
	}
	figure := reports.CostFigure{
		What: name, Proxy: "ingress gateway of " + mesh, Outcome: strings.Join(outcomes, " or "), Requests: one.latency.Count(),
		NewConnections: one.fresh, CPUSeconds: c.used.Seconds(),
	}
	w.record = append(w.record, reports.Figures{Costs: []reports.CostFigure{figure}}.Lines()...)
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return nil
}
