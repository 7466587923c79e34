package steps

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cucumber/godog"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
)

func (w *World) loadSteps(sc *godog.ScenarioContext) {
	sc.When(`^for (\d+) seconds (\d+) requests a second leave (c\d), by turns:$`, w.loadInside)
	sc.When(`^for (\d+) seconds (\d+) requests a second arrive at (c\d), by turns:$`, w.loadAtEdge)
	sc.Then(`^each of "([^"]+)" is answered by (\w+ v\d of c\d)$`, w.loadAnswered)
	sc.Then(`^each of "([^"]+)" is refused: (.+)$`, w.loadRefused)
	sc.Then(`^"([^"]+)" takes at most ([\d.]+) ms longer than "([^"]+)" at p(\d+)$`, w.loadLonger)
	sc.Then(`^"([^"]+)" takes at most (\d+) % longer than "([^"]+)" at p(\d+)$`, w.loadSlower)
}

// shiftAlpha is how often a right claim about latencies is called wrong.
const shiftAlpha = 1e-3

// loaded is what became of the requests of one name.
type loaded struct {
	// mesh that they were meant for or left.
	mesh, nonce string
	samples     []load.Sample
	latency     latency.Distribution
}

func (w *World) loadInside(ctx context.Context, seconds, rate int, mesh string, table *godog.Table) error {
	plan, _, err := loadPlan(seconds, rate, table)
	if err != nil {
		return err
	}
	result, err := w.Meshes.Load(ctx, mesh, plan)
	return w.keep("requests that leave "+mesh, mesh, plan, result, err)
}

func (w *World) loadAtEdge(ctx context.Context, seconds, rate int, mesh string, table *godog.Table) error {
	plan, as, err := loadPlan(seconds, rate, table)
	if err != nil {
		return err
	}
	for _, t := range plan.Targets {
		if _, named := as[t.Name]; !named {
			return fmt.Errorf("%q: the table does not say with whose certificate", t.Name)
		}
	}
	result, err := w.Meshes.EdgeLoad(ctx, mesh, plan, as)
	return w.keep("requests that arrive at "+mesh, mesh, plan, result, err)
}

// keep judges the generator alone: what became of the requests is for the
// sentences that follow.
func (w *World) keep(what, mesh string, plan load.Plan, result load.Result, err error) error {
	if err != nil {
		return inconclusive(err)
	}
	figure := reports.LoadFigure{
		What: what, RatePerSecond: float64(plan.Rate), DurationSeconds: plan.Duration().Seconds(),
		LagP99Millis: millis(result.LagP99), LagLimitMillis: millis(result.LagLimit),
	}
	for _, t := range plan.Targets {
		one := loaded{mesh: mesh, nonce: t.Nonce}
		for _, s := range result.Samples {
			if s.Target == t.Name {
				one.samples = append(one.samples, s)
			}
		}
		classes := classesOf(t.Name, one.samples)
		var all []reports.LatencyBucket
		for _, c := range classes {
			all = append(all, c.Histogram...)
			w.record = append(w.record, fmt.Sprintf("load %s: %s %s %d times", what, c.Identity, c.Outcome, c.Count))
		}
		one.latency = latency.New(all)
		figure.Classes = append(figure.Classes, classes...)
		w.loads[t.Name] = one
	}
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// classesOf puts together the samples that are classified alike.
func classesOf(name string, samples []load.Sample) []reports.LoadClass {
	var classes []reports.LoadClass
	for _, s := range samples {
		outcome := string(traffic.Ending(s, traffic.Backend{}).Kind)
		i := slices.IndexFunc(classes, func(c reports.LoadClass) bool { return c.Outcome == outcome })
		if i < 0 {
			i, classes = len(classes), append(classes, reports.LoadClass{Identity: name, Outcome: outcome})
		}
		classes[i].Count += s.Count()
		for _, b := range s.Latency {
			classes[i].Histogram = append(classes[i].Histogram, reports.LatencyBucket{Millis: float64(b.Micros) / 1000, Count: b.Count})
		}
	}
	for i, c := range classes {
		sorted := latency.New(c.Histogram)
		classes[i].Histogram = sorted.Buckets()
		for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
			classes[i].Quantiles = append(classes[i].Quantiles, reports.LatencyQuantile{Q: q, Millis: sorted.Quantile(q)})
		}
	}
	return classes
}

func (w *World) loadOf(name string) (loaded, error) {
	one, ok := w.loads[name]
	if !ok {
		return loaded{}, fmt.Errorf("%q: no load of that name was sent", name)
	}
	if one.latency.Count() == 0 {
		return loaded{}, fmt.Errorf("%w: of %q nothing was sent", reports.ErrInconclusive, name)
	}
	return one, nil
}

// loadEnds says whether all requests of a name ended so.
func (w *World) loadEnds(name, words string, want traffic.Backend, fits func(traffic.Outcome) bool) (loaded, error) {
	one, err := w.loadOf(name)
	if err != nil {
		return loaded{}, err
	}
	for _, s := range one.samples {
		if o := traffic.Ending(s, want); !fits(o) {
			return loaded{}, fmt.Errorf("%d of %d of %q: want %s; got: %s", s.Count(), one.latency.Count(), name, words, o)
		}
	}
	return one, nil
}

func (w *World) loadAnswered(_ context.Context, name, words string) error {
	want, err := parseWorkload(words)
	if err != nil {
		return err
	}
	_, err = w.loadEnds(name, "an answer of "+words, want, by(want))
	return err
}

// loadRefused also asks the workloads: whoever is refused arrives nowhere. Of n
// requests none was accepted, so no more than 3 in n are, with 95 % confidence
// (the rule of three).
func (w *World) loadRefused(ctx context.Context, name, words string) error {
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	one, err := w.loadEnds(name, words, traffic.Backend{}, r.fits)
	if err != nil {
		return err
	}
	arrivals, err := w.Meshes.Arrivals(ctx, one.mesh, one.nonce)
	if err != nil {
		return inconclusive(err)
	}
	if len(arrivals) > 0 {
		return fmt.Errorf("%d of %q were refused and arrived all the same: %s", len(arrivals), name, arrivals[0])
	}
	n := one.latency.Count()
	w.record = append(w.record, fmt.Sprintf("%s: 0 of %d accepted, at most %.4f %% with 95 %% confidence", name, n, 300/float64(n)))
	return nil
}

func (w *World) loadLonger(_ context.Context, what, bound, base, percentile string) error {
	limit, err := strconv.ParseFloat(bound, 64)
	if err != nil {
		return err
	}
	return w.shift(what, base, percentile, func(float64) float64 { return limit })
}

func (w *World) loadSlower(_ context.Context, what string, percent int, base, percentile string) error {
	return w.shift(what, base, percentile, func(millis float64) float64 { return millis * float64(percent) / 100 })
}

// shift compares one quantile of two kinds of requests. The bound follows from
// the base's quantile.
func (w *World) shift(what, base, percentile string, bound func(millis float64) float64) error {
	p, err := strconv.ParseFloat("0."+percentile, 64)
	if err != nil {
		return err
	}
	one, err := w.loadOf(what)
	if err != nil {
		return err
	}
	other, err := w.loadOf(base)
	if err != nil {
		return err
	}
	if !one.latency.Enough(p) || !other.latency.Enough(p) {
		return fmt.Errorf("%w: p%s of %d and of %d requests cannot be compared: send more", reports.ErrInconclusive, percentile, one.latency.Count(), other.latency.Count())
	}
	z := distuv.UnitNormal.Quantile(1 - shiftAlpha/2)
	low, high := latency.Interval(other.latency, one.latency, p, z)
	figure := reports.LatencyShift{
		What: what, Base: base, Q: p, BaseMillis: other.latency.Quantile(p), WhatMillis: one.latency.Quantile(p),
		LowMillis: low, HighMillis: high, Confidence: 1 - shiftAlpha, BoundMillis: bound(other.latency.Quantile(p)),
	}
	w.record = append(w.record, reports.Figures{Shifts: []reports.LatencyShift{figure}}.Lines()...)
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}
