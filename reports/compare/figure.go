package compare

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
)

// FigureChange is one quantile of one figure in both runs.
type FigureChange struct {
	// Name of scenario, figure and quantile.
	Name string
	// Old and New are the quantiles, in milliseconds.
	Old, New float64
	// Low and High are the interval of their difference, in milliseconds;
	// both 0 if it is undecided.
	Low, High float64
	Word      Word
}

// Percent is by how much the new value is above the old one.
func (f FigureChange) Percent() float64 {
	if f.Old == 0 {
		return 0
	}
	return 100 * (f.New - f.Old) / f.Old
}

// pair is one quantile of two distributions.
type pair struct {
	name     string
	q        float64
	old, now latency.Distribution
}

// compare says whether the quantiles differ, at level alpha.
func (p pair) compare(alpha float64) FigureChange {
	f := FigureChange{Name: p.name, Word: Undecided}
	if p.old.Count() == 0 || p.now.Count() == 0 {
		return f
	}
	f.Old, f.New = p.old.Quantile(p.q), p.now.Quantile(p.q)
	if !p.old.Enough(p.q) || !p.now.Enough(p.q) {
		return f
	}
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	f.Low, f.High = latency.Interval(p.old, p.now, p.q, z)
	switch e := latency.Excess(p.old, p.now, 0, p.q); {
	case e > z:
		f.Word = Regression
	case e < -z:
		f.Word = Improvement
	default:
		f.Word = Unchanged
	}
	return f
}

// paired are the quantiles that both runs have, in the order of the new one.
func paired(before, now reports.ConformanceReport) []pair {
	old := map[string]latency.Distribution{}
	for _, one := range distributions(before) {
		old[one.name] = one.distribution
	}
	var pairs []pair
	for _, one := range distributions(now) {
		was, there := old[one.name]
		if !there {
			continue
		}
		for _, q := range []float64{0.5, 0.99} {
			pairs = append(pairs, pair{name: fmt.Sprintf("%s p%.4g", one.name, 100*q), q: q, old: was, now: one.distribution})
		}
	}
	return pairs
}

type named struct {
	name         string
	distribution latency.Distribution
}

// distributions of a run. A load run that is INVALID has none: it would be the
// generator that is compared.
func distributions(r reports.ConformanceReport) []named {
	var all []named
	for _, s := range r.Scenarios {
		for _, f := range s.Figures.Revocations {
			name := fmt.Sprintf("%s: revocation by %s, %s", s.ID, f.Way, f.Connection)
			var buckets []reports.LatencyBucket
			for _, sample := range f.SamplesMillis {
				buckets = append(buckets, reports.LatencyBucket{Millis: sample, Count: 1})
			}
			all = append(all, named{name, latency.New(buckets)})
		}
		for _, f := range s.Figures.Loads {
			if f.Invalid() {
				continue
			}
			for _, c := range f.Classes {
				name := fmt.Sprintf("%s: %s at %g/s, %s %s", s.ID, f.What, f.RatePerSecond, c.Identity, c.Outcome)
				all = append(all, named{name, latency.New(c.Histogram)})
			}
		}
	}
	return all
}
