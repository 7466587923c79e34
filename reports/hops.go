package reports

import (
	"fmt"
	"strings"
)

// HopFigure is where the time of one kind of requests went, by the access logs
// of the proxies on their way.
type HopFigure struct {
	// What are the requests: "through the gateways".
	What          string  `json:"what"`
	RatePerSecond float64 `json:"ratePerSecond"`
	// Requests is how many were sent.
	Requests int64 `json:"requests"`
	// Hops are in the order of the way.
	Hops []Hop `json:"hops"`
}

// Hop is one proxy's own share: what it took less what it waited for the next.
type Hop struct {
	// Proxy is which: "egress gateway of c1".
	Proxy string `json:"proxy"`
	// Count is how many of the requests its log has; what a log has lost to
	// its own rotation is not there.
	Count int64 `json:"count"`
	// ResolutionMillis is that of the log.
	ResolutionMillis float64           `json:"resolutionMillis"`
	Quantiles        []LatencyQuantile `json:"quantiles"`
}

func (f HopFigure) addTo(all *Figures) { all.Hops = append(all.Hops, f) }

func (f HopFigure) validate() error {
	if len(f.Hops) == 0 || f.Requests <= 0 {
		return fmt.Errorf("hops of %s: %d hops of %d requests tell nothing", f.What, len(f.Hops), f.Requests)
	}
	for _, h := range f.Hops {
		if h.Count <= 0 || h.Count > f.Requests || h.ResolutionMillis <= 0 {
			return fmt.Errorf("hops of %s: %s has %d of %d requests, to %v ms", f.What, h.Proxy, h.Count, f.Requests, h.ResolutionMillis)
		}
		if err := rising(h.Quantiles); err != nil {
			return fmt.Errorf("hops of %s: %s: %w", f.What, h.Proxy, err)
		}
	}
	return nil
}

// Holds is always so: it is told, and claims nothing.
func (f HopFigure) Holds() error { return nil }

func (f HopFigure) lines() []string {
	var lines []string
	for _, h := range f.Hops {
		lines = append(lines, fmt.Sprintf("%s at %.0f/s: %s itself takes %s (%d of %d requests in its log, to %g ms)",
			f.What, f.RatePerSecond, h.Proxy, curveText(h.Quantiles), h.Count, f.Requests, h.ResolutionMillis))
	}
	return lines
}

func curveText(all []LatencyQuantile) string {
	var words []string
	for _, q := range all {
		words = append(words, fmt.Sprintf("p%g %.2f ms", q.Percentile(), q.Millis))
	}
	return strings.Join(words, ", ")
}

// rising says whether quantiles can be those of a latency curve.
func rising(all []LatencyQuantile) error {
	last := LatencyQuantile{}
	for _, q := range all {
		if q.Q < last.Q || q.Millis < last.Millis || q.Q > 1 {
			return fmt.Errorf("the latency curve falls at quantile %v", q.Q)
		}
		last = q
	}
	return nil
}
