package mutants

import (
	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/reports"
)

// Fate is what became of a mutant. The set is closed.
type Fate string

// The fates.
const (
	// Killed: a scenario failed while the fault was in force.
	Killed Fate = "killed"
	// Refused: the API server does not take the faulty objects.
	Refused Fate = "refused by the API server"
	// Survived: nobody has noticed.
	Survived Fate = "survived"
	// Equivalent: nobody has noticed, and it is proven that nobody can.
	Equivalent Fate = "equivalent"
	// WrongProof: it was proven that nobody can notice, and somebody has.
	WrongProof Fate = "noticed, against the proof"
	// FalseAlarm: a scenario failed although the fault had changed nothing.
	FalseAlarm Fate = "false alarm"
	// Undecided: the environment would not let anybody judge, or nobody knows
	// whether the fault was there.
	Undecided Fate = "undecided"
)

// Try is one scenario with one mutant.
type Try struct {
	Scenario string          `json:"scenario"`
	Verdict  reports.Verdict `json:"verdict"`
	Reason   string          `json:"reason,omitempty"`
	Seconds  float64         `json:"seconds"`
	// InForce says that a cluster had accepted the fault.
	InForce bool `json:"inForce,omitempty"`
	// Refused is why a cluster has not.
	Refused string `json:"refused,omitempty"`
	// Unsure is why nobody knows whether a cluster has.
	Unsure string `json:"unsure,omitempty"`
	// Found are the kinds of what verify found while the fault was in force.
	Found []federator.FindingKind `json:"found,omitempty"`
}

// Fate of the mutant by this scenario alone.
func (t Try) Fate() Fate {
	switch t.Verdict {
	case reports.Passed, reports.Skipped, reports.NotSupported, reports.KnownGap:
		return Survived
	case reports.Failed:
	default:
		return Undecided
	}
	switch {
	case t.InForce:
		return Killed
	case t.Refused != "":
		return Refused
	case t.Unsure != "":
		return Undecided
	}
	return FalseAlarm
}

// Result is what became of one mutant.
type Result struct {
	Mutant     string `json:"mutant"`
	Where      string `json:"where"`
	Widens     bool   `json:"widens,omitempty"`
	Equivalent string `json:"equivalent,omitempty"`
	Tries      []Try  `json:"tries"`
}

// Fate of the mutant: one scenario that notices is enough, and one that cannot
// be trusted is too much.
func (r Result) Fate() Fate {
	fates := map[Fate]bool{}
	for _, t := range r.Tries {
		fates[t.Fate()] = true
	}
	for _, bad := range []Fate{FalseAlarm, Undecided} {
		if fates[bad] {
			return bad
		}
	}
	noticed := fates[Killed] || fates[Refused]
	switch {
	case noticed && r.Equivalent != "":
		return WrongProof
	case fates[Killed]:
		return Killed
	case fates[Refused]:
		return Refused
	case r.Equivalent != "":
		return Equivalent
	}
	return Survived
}

// Good says whether the fate speaks for the suite.
func (f Fate) Good() bool { return f == Killed || f == Refused || f == Equivalent }

// Killers are the scenarios that noticed.
func (r Result) Killers() []string {
	var ids []string
	for _, t := range r.Tries {
		if f := t.Fate(); f == Killed || f == Refused {
			ids = append(ids, t.Scenario)
		}
	}
	return ids
}
