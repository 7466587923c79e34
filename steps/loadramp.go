package steps

import (
	"context"
	"errors"
	"fmt"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
)

func (w *World) loadRampSteps(sc *godog.ScenarioContext) {
	sc.When(`^the rate of requests that leave (c\d) grows from (\d+) to (\d+) a second, (\d+) seconds each, until (\w+ v\d of c\d) does not keep up:$`, w.ramp)
}

const (
	// lateFactor is how much later than at the lowest rate p90 may be.
	lateFactor = 3
	// rampFactor is by what the rate grows: half as much again.
	rampFactor = 1.5
)

// ramp raises the rate of one kind of requests until it is not carried any more.
func (w *World) ramp(ctx context.Context, mesh string, from, to, seconds int, words string, table *godog.Table) error {
	want, err := parseWorkload(words)
	if err != nil {
		return err
	}
	if from < 1 || to < from {
		return fmt.Errorf("a rate from %d to %d: want it to grow", from, to)
	}
	var steps []reports.KneeStep
	var name string
	for rate := from; ; rate = min(to, int(float64(rate)*rampFactor)+1) {
		plan, _, err := loadPlan(seconds, rate, table)
		if err != nil {
			return err
		}
		if len(plan.Targets) != 1 {
			return errors.New("a rate that grows: want a table with one kind of requests")
		}
		plan.Watch = w.watch()
		name = plan.Targets[0].Name
		result, err := w.Meshes.Load(ctx, mesh, plan)
		if err != nil {
			// The rates before are known all the same.
			return inconclusive(errors.Join(err, w.kneeOf(name, steps)))
		}
		steps = append(steps, kneeStep(plan, result, want))
		if f := reports.Knee(name, lateFactor, steps); rate == to || f.End != reports.KneeCeiling {
			break
		}
	}
	return w.kneeOf(name, steps)
}

// kneeOf keeps the figure of those rates, if there are any.
func (w *World) kneeOf(name string, steps []reports.KneeStep) error {
	if len(steps) == 0 {
		return nil
	}
	figure := reports.Knee(name, lateFactor, steps)
	w.record = append(w.record, reports.Figures{Knees: []reports.KneeFigure{figure}}.Lines()...)
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}

func kneeStep(plan load.Plan, result load.Result, want traffic.Backend) reports.KneeStep {
	step := reports.KneeStep{
		RatePerSecond: float64(plan.Rate), LagP99Millis: millis(result.LagP99), LagLimitMillis: millis(result.LagLimit),
	}
	var all []reports.LatencyBucket
	for _, s := range result.Samples {
		step.Sent += s.Count()
		if by(want)(traffic.Ending(s, want)) {
			step.Served += s.Count()
		}
		for _, c := range classesOf(plan.Targets[0].Name, []load.Sample{s}) {
			all = append(all, c.Histogram...)
		}
	}
	whole := latency.New(all)
	step.P50Millis, step.P90Millis, step.P99Millis = whole.Quantile(0.5), whole.Quantile(0.9), whole.Quantile(0.99)
	return step
}
