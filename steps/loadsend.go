package steps

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
	"github.com/meshfed/meshfed/traffic/load"
)

// run is load as it was sent.
type run struct {
	what, mesh string
	plan       load.Plan
	since      time.Time
	// invalid are how late the generator was at p99, in milliseconds, the times
	// before.
	invalid []float64
	// rest is how much load is to follow in the same scenario.
	rest time.Duration
}

const (
	// sendings is how often load is sent until the generator keeps its time. A
	// run that it does not keep says nothing, neither good nor bad, so that to
	// send it again chooses no result.
	sendings = 3
	// judging is left of a scenario's time for the sentences behind a load.
	judging = 10 * time.Second
)

// sending sends a plan.
type sending func(context.Context, load.Plan) (load.Result, error)

// sent sends load and keeps what became of it.
func (w *World) sent(ctx context.Context, r run, send sending) error {
	result, err := w.valid(ctx, &r, func(ctx context.Context, plan load.Plan) (load.Result, error) {
		r.since = time.Now()
		return send(ctx, plan)
	}, func() {
		// The next ones are told from these in every log.
		r.plan.Targets = slices.Clone(r.plan.Targets)
		for i := range r.plan.Targets {
			r.plan.Targets[i].Nonce = newNonce()
		}
	})
	return w.keep(r, result, err)
}

// valid sends load until the generator keeps its time, or there is no time for
// another sending; before another one it renews.
func (w *World) valid(ctx context.Context, r *run, send sending, renew func()) (load.Result, error) {
	r.plan.Watch = w.watch()
	for {
		result, err := send(ctx, r.plan)
		if err != nil || result.LagP99 <= result.LagLimit || !r.again(ctx) {
			return result, err
		}
		r.invalid = append(r.invalid, millis(result.LagP99))
		note := fmt.Sprintf("load on %s is INVALID, the generator itself was %.3f ms late at p99: it is sent again", r.what, millis(result.LagP99))
		w.record = append(w.record, note)
		if w.Tell != nil {
			w.Tell(note)
		}
		renew()
	}
}

// again says whether there is time for another sending.
func (r run) again(ctx context.Context) bool {
	return len(r.invalid)+1 < sendings && timeFor(ctx, r.plan.Duration()+r.rest)
}

// timeFor says whether there is time for so much more load, and to judge it.
func timeFor(ctx context.Context, more time.Duration) bool {
	end, ends := ctx.Deadline()
	return !ends || time.Until(end) > more+judging
}

// watch tells how a run is going, if anybody wants to know.
func (w *World) watch() func(load.Progress) {
	if w.Tell == nil {
		return nil
	}
	return func(p load.Progress) { w.Tell(p.String()) }
}

// keep judges the generator alone: what became of the requests is for the
// sentences that follow. What was measured before a run was stopped is kept as
// well.
func (w *World) keep(r run, result load.Result, err error) error {
	if err != nil && len(result.Samples) == 0 {
		return inconclusive(err)
	}
	figure := reports.LoadFigure{
		What: r.what, RatePerSecond: float64(r.plan.Rate), DurationSeconds: r.plan.Duration().Seconds(),
		LagP99Millis: millis(result.LagP99), LagLimitMillis: millis(result.LagLimit), Interrupted: err != nil,
		InvalidBefore: r.invalid,
	}
	for _, t := range r.plan.Targets {
		one := loaded{mesh: r.mesh, nonce: t.Nonce, rate: r.plan.Rate, since: r.since, fresh: t.FreshConnection, samples: result.Of(t.Name)}
		classes := classesOf(t.Name, one.samples)
		var all []reports.LatencyBucket
		for _, c := range classes {
			all = append(all, c.Histogram...)
			w.record = append(w.record, fmt.Sprintf("load %s: %s %s %d times", r.what, c.Identity, c.Outcome, c.Count))
		}
		one.latency = latency.New(all)
		figure.Classes = append(figure.Classes, classes...)
		w.loads[t.Name] = one
	}
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	if err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}
