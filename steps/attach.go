package steps

import (
	"sync"

	"github.com/meshfed/meshfed/reports"
)

// figures collects what a scenario measures, also from goroutines that an
// abandoned step has left behind.
type figures struct {
	mu  sync.Mutex
	all reports.Figures
}

// Attach keeps a figure with the scenario's verdict, in the journal and in the
// report. It does not judge it: the step does, and returns the figure's Holds.
// An error says that the numbers are not possible, which is the harness's
// fault; the step must return it.
func (w *World) Attach(one reports.Figure) error {
	w.figures.mu.Lock()
	defer w.figures.mu.Unlock()
	return w.figures.all.Add(one)
}

// Figures are those attached so far.
func (w *World) Figures() reports.Figures {
	w.figures.mu.Lock()
	defer w.figures.mu.Unlock()
	return w.figures.all
}
