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
	sc.Then(`^"([^"]+)" takes at most ([\d.]+) ms longer than "([^"]+)" at p([\d.]+)$`, w.loadLonger)
	sc.Then(`^"([^"]+)" takes at most (\d+) % longer than "([^"]+)" at p([\d.]+)$`, w.loadSlower)
	sc.Then(`^how much longer "([^"]+)" takes than "([^"]+)" is told$`, w.loadTold)
}

// shiftAlpha is how often a right claim about latencies is called wrong.
const shiftAlpha = 1e-3

// loaded is what became of the requests of one name.
type loaded struct {
	// mesh that they were meant for or left.
	mesh, nonce string
	// rate of all requests of the run, since when, and whether each had a
	// connection of its own.
	rate    int
	since   time.Time
	fresh   bool
	samples []load.Sample
	latency latency.Distribution
}

func (w *World) loadInside(ctx context.Context, seconds, rate int, mesh string, table *godog.Table) error {
	plan, _, err := loadPlan(seconds, rate, table)
	if err != nil {
		return err
	}
	return w.sent(ctx, run{what: "requests that leave " + mesh, mesh: mesh, plan: plan}, func(ctx context.Context, plan load.Plan) (load.Result, error) {
		return w.Meshes.Load(ctx, mesh, plan)
	})
}

func (w *World) loadAtEdge(ctx context.Context, seconds, rate int, mesh string, table *godog.Table) error {
	plan, as, err := edgePlan(seconds, rate, table)
	if err != nil {
		return err
	}
	return w.sent(ctx, run{what: "requests that arrive at " + mesh, mesh: mesh, plan: plan}, func(ctx context.Context, plan load.Plan) (load.Result, error) {
		before := w.meter(ctx, mesh)
		result, err := w.Meshes.EdgeLoad(ctx, mesh, plan, as)
		if err == nil {
			w.costed(plan, before, w.meter(ctx, mesh))
		}
		return result, err
	})
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// millisOf are a sample's latencies, in milliseconds.
func millisOf(s load.Sample) []reports.LatencyBucket {
	var all []reports.LatencyBucket
	for _, b := range s.Latency {
		all = append(all, reports.LatencyBucket{Millis: float64(b.Micros) / 1000, Count: b.Count})
	}
	return all
}

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
		classes[i].Histogram = append(classes[i].Histogram, millisOf(s)...)
	}
	for i, c := range classes {
		sorted := latency.New(c.Histogram)
		classes[i].Histogram = sorted.Buckets()
		classes[i].Quantiles = curve(sorted)
	}
	return classes
}

// curve are the quantiles that are told of a distribution.
func curve(d latency.Distribution) []reports.LatencyQuantile {
	var all []reports.LatencyQuantile
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
		all = append(all, reports.LatencyQuantile{Q: q, Millis: d.Quantile(q)})
	}
	return all
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

// loadRefused also asks the workloads, while a control is answered: whoever is
// refused arrives nowhere. If none of n requests was accepted, then with 95 %
// confidence at most 3 in n are (the rule of three).
func (w *World) loadRefused(ctx context.Context, name, words string) error {
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	one, err := w.loadEnds(name, words, traffic.Backend{}, r.fits)
	if err != nil {
		return err
	}
	if w.control == nil {
		return errNoControl
	}
	after, err := w.alive(ctx, "afterwards")
	if err != nil {
		return err
	}
	if err := w.unseenAnywhere(ctx, one.nonce, after); err != nil {
		return err
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
	return w.shift(what, base, percentile, func(float64) (floor, bound float64) { return 0, limit })
}

func (w *World) loadSlower(_ context.Context, what string, percent int, base, percentile string) error {
	return w.shift(what, base, percentile, func(millis float64) (floor, bound float64) { return 0, millis * float64(percent) / 100 })
}

// loadTold compares without a claim.
func (w *World) loadTold(_ context.Context, what, base string) error {
	for _, percentile := range []string{"50", "90", "99", "99.9"} {
		one, err := w.loadOf(what)
		if err != nil {
			return err
		}
		other, err := w.loadOf(base)
		if err != nil {
			return err
		}
		p, err := quantile(percentile)
		if err != nil {
			return err
		}
		// Of a tail with too few requests in it nothing can be told.
		if !one.latency.Enough(p) || !other.latency.Enough(p) {
			continue
		}
		if err := w.compared(shifted{what, base, one.latency, other.latency, p}, func(float64) (floor, bound float64) { return 0, 0 }); err != nil {
			return err
		}
	}
	return nil
}

// quantile reads "99.9".
func quantile(percentile string) (float64, error) {
	p, err := strconv.ParseFloat(percentile, 64)
	if err != nil || p <= 0 || p >= 100 {
		return 0, fmt.Errorf("p%s: want a percentile between 0 and 100", percentile)
	}
	return p / 100, nil
}

// shift compares one quantile of two kinds of requests. The bound follows from
// the base's quantile.
func (w *World) shift(what, base, percentile string, limits func(millis float64) (floor, bound float64)) error {
	p, err := quantile(percentile)
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
	return w.compared(shifted{what, base, one.latency, other.latency, p}, limits)
}

// shifted are two kinds of requests, and the quantile that is compared.
type shifted struct {
	what, base string
	now, old   latency.Distribution
	q          float64
}

// enough says whether the two can be compared.
func (s shifted) enough() bool { return s.now.Enough(s.q) && s.old.Enough(s.q) }

// interval is what the difference may be, at a confidence of 1 - shiftAlpha, in
// milliseconds. Both must have values.
func (s shifted) interval() (low, high float64) {
	return latency.Interval(s.old, s.now, s.q, distuv.UnitNormal.Quantile(1-shiftAlpha/2))
}

func (w *World) compared(s shifted, limits func(millis float64) (floor, bound float64)) error {
	if !s.enough() {
		return fmt.Errorf("%w: p%g of %d and of %d requests cannot be compared: send more", reports.ErrInconclusive, 100*s.q, s.now.Count(), s.old.Count())
	}
	low, high := s.interval()
	floor, bound := limits(s.old.Quantile(s.q))
	figure := reports.LatencyShift{
		What: s.what, Base: s.base, Q: s.q, BaseMillis: s.old.Quantile(s.q), WhatMillis: s.now.Quantile(s.q),
		LowMillis: low, HighMillis: high, Confidence: 1 - shiftAlpha, BoundMillis: bound, FloorMillis: floor,
	}
	w.record = append(w.record, reports.Figures{Shifts: []reports.LatencyShift{figure}}.Lines()...)
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}
