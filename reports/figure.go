package reports

import (
	"errors"
	"fmt"
)

// Figure is something a scenario measured, kept with its verdict so that a
// reader can judge it again. The kinds are closed: SplitFigure, TruthTable,
// RevocationFigure, LoadFigure, LatencyShift, HopFigure, CostFigure, KneeFigure,
// FaultFigure.
type Figure interface {
	// Holds judges the figure from its own numbers and nothing else. Nil
	// means that it supports its scenario's claim; an error that wraps
	// ErrInconclusive, that it supports and contradicts nothing.
	Holds() error
	// lines are the figure in words, one line or more.
	lines() []string
	// validate says whether the numbers are possible at all.
	validate() error
	// addTo appends the figure to those of its kind.
	addTo(*Figures)
}

// Figures are all that one scenario measured, by kind, each kind in the order
// of measuring. The zero value holds none.
type Figures struct {
	Splits      []SplitFigure      `json:"splits,omitempty"`
	TruthTables []TruthTable       `json:"truthTables,omitempty"`
	Revocations []RevocationFigure `json:"revocations,omitempty"`
	Loads       []LoadFigure       `json:"loads,omitempty"`
	Shifts      []LatencyShift     `json:"shifts,omitempty"`
	Hops        []HopFigure        `json:"hops,omitempty"`
	Costs       []CostFigure       `json:"costs,omitempty"`
	Knees       []KneeFigure       `json:"knees,omitempty"`
	Faults      []FaultFigure      `json:"faults,omitempty"`
}

// Add attaches a figure. Numbers that are not possible are refused: they are
// a fault of whoever measured, which wraps ErrInconclusive.
func (f *Figures) Add(one Figure) error {
	if err := one.validate(); err != nil {
		return fmt.Errorf("%w: figure: %w", ErrInconclusive, err)
	}
	one.addTo(f)
	return nil
}

// All are the figures of every kind, for those who treat them alike.
func (f Figures) All() []Figure {
	var all []Figure
	for _, one := range f.Splits {
		all = append(all, one)
	}
	for _, one := range f.TruthTables {
		all = append(all, one)
	}
	for _, one := range f.Revocations {
		all = append(all, one)
	}
	for _, one := range f.Loads {
		all = append(all, one)
	}
	for _, one := range f.Shifts {
		all = append(all, one)
	}
	for _, one := range f.Hops {
		all = append(all, one)
	}
	for _, one := range f.Costs {
		all = append(all, one)
	}
	for _, one := range f.Knees {
		all = append(all, one)
	}
	for _, one := range f.Faults {
		all = append(all, one)
	}
	return all
}

// IsZero says that nothing was measured; it keeps the empty value out of JSON.
func (f Figures) IsZero() bool { return len(f.All()) == 0 }

// Validate says whether every figure's numbers are possible.
func (f Figures) Validate() error {
	var errs []error
	for _, one := range f.All() {
		errs = append(errs, one.validate())
	}
	return errors.Join(errs...)
}

// Holds is what the figures say against their scenario's claim (see Weighed).
func (f Figures) Holds() error {
	var errs []error
	for _, one := range f.All() {
		errs = append(errs, one.Holds())
	}
	return Weighed(errs...)
}
