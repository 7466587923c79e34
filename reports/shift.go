package reports

import (
	"fmt"
	"math"
)

// LatencyShift is by how much one quantile of requests of one kind is above
// that of another kind, measured in one scenario.
type LatencyShift struct {
	// What is compared with Base: "through the gateways", "in the mesh".
	What string `json:"what"`
	Base string `json:"base"`
	// Q is the quantile, from 0 to 1.
	Q          float64 `json:"q"`
	BaseMillis float64 `json:"baseMillis"`
	WhatMillis float64 `json:"whatMillis"`
	// LowMillis and HighMillis are the interval of the difference, at
	// Confidence (from 0 to 1).
	LowMillis  float64 `json:"lowMillis"`
	HighMillis float64 `json:"highMillis"`
	Confidence float64 `json:"confidence"`
	// BoundMillis is what the difference must be shown not to exceed; 0 is no
	// bound: the difference is told and nothing is claimed.
	BoundMillis float64 `json:"boundMillis,omitempty"`
	// FloorMillis is what it must be shown not to fall below; 0 is no floor.
	FloorMillis float64 `json:"floorMillis,omitempty"`
}

func (f LatencyShift) addTo(all *Figures) { all.Shifts = append(all.Shifts, f) }

func (f LatencyShift) name() string { return fmt.Sprintf("latency of %s over %s", f.What, f.Base) }

func (f LatencyShift) validate() error {
	for _, v := range []float64{f.BaseMillis, f.WhatMillis, f.LowMillis, f.HighMillis, f.BoundMillis, f.FloorMillis} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: a figure is no number", f.name())
		}
	}
	switch {
	case f.Q <= 0 || f.Q >= 1 || f.Confidence <= 0 || f.Confidence >= 1:
		return fmt.Errorf("%s: quantile %v at confidence %v: want both between 0 and 1", f.name(), f.Q, f.Confidence)
	case f.BaseMillis <= 0 || f.WhatMillis <= 0:
		return fmt.Errorf("%s: nothing takes no time", f.name())
	case f.BoundMillis < 0 || f.FloorMillis < 0 || f.FloorMillis > f.BoundMillis:
		return fmt.Errorf("%s: no difference is both above %v ms and below %v ms", f.name(), f.FloorMillis, f.BoundMillis)
	case f.LowMillis > f.HighMillis:
		return fmt.Errorf("%s: the interval from %v to %v ms is empty", f.name(), f.LowMillis, f.HighMillis)
	}
	return nil
}

// Holds judges by the whole interval. One that lies beyond a limit contradicts
// the claim; one that the limit cuts shows neither that it is kept nor that it
// is not, such as that of a few requests on a busy machine: that is inconclusive.
func (f LatencyShift) Holds() error {
	switch {
	case f.BoundMillis > 0 && f.LowMillis > f.BoundMillis:
		return fmt.Errorf("%s, at most %.2f ms are allowed", f.line(), f.BoundMillis)
	case f.FloorMillis > 0 && f.HighMillis < f.FloorMillis:
		return fmt.Errorf("%s, at least %.2f ms are wanted", f.line(), f.FloorMillis)
	case f.BoundMillis > 0 && f.HighMillis > f.BoundMillis:
		return fmt.Errorf("%w: %s: that it is at most %.2f ms is not shown", ErrInconclusive, f.line(), f.BoundMillis)
	case f.LowMillis < f.FloorMillis && f.FloorMillis > 0:
		return fmt.Errorf("%w: %s: that it is at least %.2f ms is not shown", ErrInconclusive, f.line(), f.FloorMillis)
	}
	return nil
}

// Added is the difference itself, in milliseconds.
func (f LatencyShift) Added() float64 { return f.WhatMillis - f.BaseMillis }

func (f LatencyShift) lines() []string { return []string{f.line()} }

func (f LatencyShift) line() string {
	return fmt.Sprintf("%s at p%g: %.2f ms more (%.2f to %.2f ms at %.5g %% confidence; %.2f against %.2f ms)",
		f.name(), 100*f.Q, f.Added(), f.LowMillis, f.HighMillis, 100*f.Confidence, f.WhatMillis, f.BaseMillis)
}
