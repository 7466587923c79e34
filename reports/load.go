package reports

import "fmt"

// LoadFigure is one run of load: latencies by outcome, each timed from the
// moment at which the request was meant to be sent.
type LoadFigure struct {
	// What was loaded: "c1 to c2 through the gateways".
	What string `json:"what"`
	// RatePerSecond is the intended rate of the open model.
	RatePerSecond   float64 `json:"ratePerSecond"`
	DurationSeconds float64 `json:"durationSeconds"`
	// LagP99Millis is how late the generator itself was; beyond
	// LagLimitMillis the run is INVALID, not slow.
	LagP99Millis   float64 `json:"lagP99Millis"`
	LagLimitMillis float64 `json:"lagLimitMillis"`
	// InvalidBefore are the lags at p99, in milliseconds, of the runs that were
	// INVALID before this one, and were therefore made again.
	InvalidBefore []float64 `json:"invalidBefore,omitempty"`
	// Interrupted says that the run was stopped: the figures are of what was
	// measured until then, and decide nothing.
	Interrupted bool `json:"interrupted,omitempty"`
	// Classes are the outcomes, each with latencies of its own: a mean of
	// answers and refusals is true of neither.
	Classes []LoadClass `json:"classes"`
	// Fault says which threshold of the scenario was missed; empty if none.
	Fault string `json:"fault,omitempty"`
}

// LoadClass is one identity's requests that ended in one way.
type LoadClass struct {
	Identity string `json:"identity"`
	// Outcome in the words of the traffic vocabulary.
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
	// Quantiles are the latency curve, in rising order.
	Quantiles []LatencyQuantile `json:"quantiles,omitempty"`
	// Histogram is the distribution, by rising latency: what two runs are
	// compared by. Three significant digits are enough.
	Histogram []LatencyBucket `json:"histogram,omitempty"`
}

// LatencyBucket is how many requests took about so long.
type LatencyBucket struct {
	Millis float64 `json:"millis"`
	Count  int64   `json:"count"`
}

// LatencyQuantile is a point of a latency curve.
type LatencyQuantile struct {
	// Q from 0 to 1.
	Q      float64 `json:"q"`
	Millis float64 `json:"millis"`
}

func (f LoadFigure) addTo(all *Figures) { all.Loads = append(all.Loads, f) }

func (f LoadFigure) validate() error {
	if len(f.Classes) == 0 || f.LagLimitMillis <= 0 {
		return fmt.Errorf("load on %s: %d outcome classes and a lag limit of %v ms decide nothing", f.What, len(f.Classes), f.LagLimitMillis)
	}
	for _, c := range f.Classes {
		if err := rising(c.Quantiles); err != nil {
			return fmt.Errorf("load on %s: %s %s: %w", f.What, c.Identity, c.Outcome, err)
		}
	}
	return nil
}

// Invalid says that the generator was too late for its figures to mean
// anything.
func (f LoadFigure) Invalid() bool { return f.LagP99Millis > f.LagLimitMillis }

// Holds says whether the run is valid and no threshold was missed.
func (f LoadFigure) Holds() error {
	if f.Invalid() {
		return fmt.Errorf("%w: load on %s is INVALID: the generator itself was %.3f ms late at p99, at most %.3f ms are allowed",
			ErrInconclusive, f.What, f.LagP99Millis, f.LagLimitMillis)
	}
	if f.Interrupted {
		return fmt.Errorf("%w: load on %s was stopped", ErrInconclusive, f.What)
	}
	if f.Fault != "" {
		return fmt.Errorf("load on %s: %s", f.What, f.Fault)
	}
	return nil
}

// Percentile is the quantile as people write it: 99.9.
func (q LatencyQuantile) Percentile() float64 { return 100 * q.Q }

func (f LoadFigure) lines() []string {
	if f.Invalid() {
		return []string{f.Holds().Error()}
	}
	var lines []string
	for _, c := range f.Classes {
		line := fmt.Sprintf("load on %s at %.0f/s: %s %s %d times", f.What, f.RatePerSecond, c.Identity, c.Outcome, c.Count)
		for _, q := range c.Quantiles {
			line += fmt.Sprintf(", p%g %.2f ms", 100*q.Q, q.Millis)
		}
		lines = append(lines, line)
	}
	return lines
}
