package reports

import (
	"fmt"
	"math"
)

// CostFigure is what one kind of requests costs a proxy in processor time.
type CostFigure struct {
	// What are the requests, and Proxy whom they cost it.
	What  string `json:"what"`
	Proxy string `json:"proxy"`
	// Outcome is how they ended, in the words of the traffic vocabulary.
	Outcome  string `json:"outcome"`
	Requests int64  `json:"requests"`
	// NewConnections says that each had a handshake of its own.
	NewConnections bool `json:"newConnections"`
	// CPUSeconds is what the proxy used while they were sent, whatever for.
	CPUSeconds float64 `json:"cpuSeconds"`
}

func (f CostFigure) addTo(all *Figures) { all.Costs = append(all.Costs, f) }

func (f CostFigure) validate() error {
	if f.Requests <= 0 || f.CPUSeconds <= 0 || math.IsNaN(f.CPUSeconds) || math.IsInf(f.CPUSeconds, 0) {
		return fmt.Errorf("cost of %s: %d requests for %v s of a processor are not possible", f.What, f.Requests, f.CPUSeconds)
	}
	return nil
}

// Holds is always so: it is told, and claims nothing.
func (f CostFigure) Holds() error { return nil }

// PerCoreSecond is how many of the requests a core does in a second.
func (f CostFigure) PerCoreSecond() float64 { return float64(f.Requests) / f.CPUSeconds }

// MillisEach is the processor time of one request.
func (f CostFigure) MillisEach() float64 { return 1000 * f.CPUSeconds / float64(f.Requests) }

func (f CostFigure) lines() []string { return []string{f.line()} }

func (f CostFigure) line() string {
	how := "on kept connections"
	if f.NewConnections {
		how = "each with a handshake of its own"
	}
	return fmt.Sprintf("%s, %s, %s: %.3f ms of a core of the %s each, %.0f a second per core (%d in %.2f s)",
		f.What, f.Outcome, how, f.MillisEach(), f.Proxy, f.PerCoreSecond(), f.Requests, f.CPUSeconds)
}
