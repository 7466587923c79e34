package reports

import (
	"errors"
	"fmt"
)

// KneeEnd is the closed set of why a rate was not raised further.
type KneeEnd string

// The ends.
const (
	// KneeLate: p90 was more than LateFactor times that of the lowest rate.
	KneeLate KneeEnd = "late"
	// KneeUnserved: not every request was answered as it should be.
	KneeUnserved KneeEnd = "unserved"
	// KneeGenerator: the generator itself was too late, so that nothing is
	// known of what it asks: the knee is at that rate or beyond.
	KneeGenerator KneeEnd = "generator"
	// KneeCeiling: the highest rate that was wanted was carried.
	KneeCeiling KneeEnd = "ceiling"
)

// KneeEnds is the whole vocabulary.
func KneeEnds() []KneeEnd { return []KneeEnd{KneeLate, KneeUnserved, KneeGenerator, KneeCeiling} }

// KneeFigure is a rate that was raised until it was not carried any more.
type KneeFigure struct {
	What string `json:"what"`
	// LateFactor is how much later than at the lowest rate p90 may be.
	LateFactor float64    `json:"lateFactor"`
	Steps      []KneeStep `json:"steps"`
	// KneePerSecond is the highest rate that was carried; 0 is none.
	KneePerSecond float64 `json:"kneePerSecond"`
	End           KneeEnd `json:"end"`
}

// KneeStep is one rate.
type KneeStep struct {
	RatePerSecond float64 `json:"ratePerSecond"`
	Sent          int64   `json:"sent"`
	// Served is how many were answered as they should be.
	Served         int64   `json:"served"`
	P50Millis      float64 `json:"p50Millis"`
	P90Millis      float64 `json:"p90Millis"`
	P99Millis      float64 `json:"p99Millis"`
	LagP99Millis   float64 `json:"lagP99Millis"`
	LagLimitMillis float64 `json:"lagLimitMillis"`
}

// Knee judges the steps, in rising order, of which all but the last are carried.
func Knee(what string, lateFactor float64, steps []KneeStep) KneeFigure {
	f := KneeFigure{What: what, LateFactor: lateFactor, Steps: steps, End: KneeCeiling}
	for _, s := range steps {
		if end := f.endAt(s); end != KneeCeiling {
			f.End = end
			return f
		}
		f.KneePerSecond = s.RatePerSecond
	}
	return f
}

func (f KneeFigure) endAt(s KneeStep) KneeEnd {
	switch {
	case s.LagP99Millis > s.LagLimitMillis:
		return KneeGenerator
	case s.Served < s.Sent:
		return KneeUnserved
	case s.P90Millis > f.LateFactor*f.Steps[0].P90Millis:
		return KneeLate
	}
	return KneeCeiling
}

func (f KneeFigure) addTo(all *Figures) { all.Knees = append(all.Knees, f) }

func (f KneeFigure) validate() error {
	if len(f.Steps) == 0 || f.LateFactor <= 1 {
		return fmt.Errorf("knee of %s: %d rates and a factor of %v find none", f.What, len(f.Steps), f.LateFactor)
	}
	last := 0.0
	for _, s := range f.Steps {
		if s.RatePerSecond <= last || s.Sent <= 0 || s.Served > s.Sent || s.LagLimitMillis <= 0 || s.P50Millis > s.P90Millis || s.P90Millis > s.P99Millis {
			return fmt.Errorf("knee of %s: the step at %v/s is not possible", f.What, s.RatePerSecond)
		}
		last = s.RatePerSecond
	}
	if again := Knee(f.What, f.LateFactor, f.Steps); again.KneePerSecond != f.KneePerSecond || again.End != f.End {
		return fmt.Errorf("knee of %s: it says %v/s (%s), and its steps say %v/s (%s)", f.What, f.KneePerSecond, f.End, again.KneePerSecond, again.End)
	}
	return nil
}

// Holds if any rate was carried at all.
func (f KneeFigure) Holds() error {
	switch {
	case f.KneePerSecond > 0:
		return nil
	case f.End == KneeGenerator:
		return fmt.Errorf("%w: knee of %s: the generator was late at the lowest rate", ErrInconclusive, f.What)
	}
	return errors.New(f.line())
}

func (f KneeFigure) lines() []string { return []string{f.line()} }

func (f KneeFigure) line() string {
	last := f.Steps[len(f.Steps)-1]
	why := map[KneeEnd]string{
		KneeLate:      fmt.Sprintf("at %.0f/s p90 is %.2f ms, more than %g times the %.2f ms at %.0f/s", last.RatePerSecond, last.P90Millis, f.LateFactor, f.Steps[0].P90Millis, f.Steps[0].RatePerSecond),
		KneeUnserved:  fmt.Sprintf("at %.0f/s %d of %d are served", last.RatePerSecond, last.Served, last.Sent),
		KneeGenerator: fmt.Sprintf("at %.0f/s the generator itself is %.2f ms late at p99: the knee may lie higher", last.RatePerSecond, last.LagP99Millis),
		KneeCeiling:   "nothing higher was tried",
	}[f.End]
	return fmt.Sprintf("knee of %s: %.0f requests a second are carried; %s", f.What, f.KneePerSecond, why)
}
