// Package compare tells what changed between two runs: verdicts, and figures
// with intervals. It is for gates: two runs of the same thing raise a false
// alarm in at most one of 100 comparisons, however many figures there are.
//
// It treats the samples of a figure as independent. Where they are not (a
// busy neighbour slows a whole second), it alarms more often; then measure
// longer, not with a wider bound.
package compare

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshfed/meshfed/reports"
)

// Word is what a comparison says.
type Word string

// The words.
const (
	Regression  Word = "regression"
	Improvement Word = "improvement"
	Unchanged   Word = "unchanged"
	// Undecided: there are too few samples to say anything.
	Undecided Word = "undecided"
	// Added and Removed scenarios are in one of the runs only.
	Added   Word = "added"
	Removed Word = "removed"
)

// Result is all that differs, and each figure that was compared.
type Result struct {
	Verdicts []VerdictChange
	Figures  []FigureChange
	// Notes are differences that limit what the comparison says.
	Notes []string
}

// VerdictChange is a scenario with another verdict than before; empty if it
// was not there.
type VerdictChange struct {
	ID       string
	Old, New reports.Verdict
	Word     Word
}

// Regressions is how many things got worse. A passed scenario that is gone is
// one of them: nothing proves its claim any more.
func (r Result) Regressions() int {
	n := 0
	for _, v := range r.Verdicts {
		if v.Word == Regression || v.Word == Removed && v.Old == reports.Passed {
			n++
		}
	}
	for _, f := range r.Figures {
		if f.Word == Regression {
			n++
		}
	}
	return n
}

// Reports compares an old run with a new one.
func Reports(before, now reports.ConformanceReport) Result {
	var r Result
	r.Verdicts = verdicts(before, now)
	pairs := paired(before, now)
	for _, p := range pairs {
		r.Figures = append(r.Figures, p.compare(alarmRate/float64(len(pairs))))
	}
	r.Notes = notes(before, now)
	return r
}

// alarmRate is how often a comparison of the same with the same alarms, over
// all its figures: half of the 1 % that is promised, since samples are never
// quite independent.
const alarmRate = 0.005

func verdicts(before, now reports.ConformanceReport) []VerdictChange {
	var changes []VerdictChange
	old := map[string]reports.Verdict{}
	for _, s := range before.Scenarios {
		old[s.ID] = s.Verdict
	}
	for _, s := range now.Scenarios {
		was, is := old[s.ID]
		delete(old, s.ID)
		switch {
		case !is:
			changes = append(changes, VerdictChange{ID: s.ID, New: s.Verdict, Word: Added})
		case was != s.Verdict:
			changes = append(changes, VerdictChange{ID: s.ID, Old: was, New: s.Verdict, Word: direction(was, s.Verdict)})
		}
	}
	for _, s := range before.Scenarios {
		if was, gone := old[s.ID]; gone {
			changes = append(changes, VerdictChange{ID: s.ID, Old: was, Word: Removed})
		}
	}
	return changes
}

// direction: to lose a pass is a regression, to get one an improvement; so is
// a failure that comes or goes.
func direction(was, is reports.Verdict) Word {
	failing := func(v reports.Verdict) bool { return v == reports.Failed || v == reports.Flaky }
	switch {
	case was == reports.Passed, failing(is) && !failing(was):
		return Regression
	case is == reports.Passed, failing(was) && !failing(is):
		return Improvement
	}
	return Unchanged
}

func notes(before, now reports.ConformanceReport) []string {
	var all []string
	note := func(what, was, is string) {
		if was != is {
			all = append(all, fmt.Sprintf("%s differ: %s, now %s", what, was, is))
		}
	}
	machine := func(e reports.Environment) string {
		return fmt.Sprintf("%d cores %d bytes %s/%s %s", e.CPUs, e.MemoryBytes, e.OS, e.Arch, e.Kernel)
	}
	note("the machines", machine(before.Environment), machine(now.Environment))
	note("the features", before.FeaturesDigest, now.FeaturesDigest)
	note("the providers", before.Provider, now.Provider)
	note("the implementations", before.Implementation.Name, now.Implementation.Name)
	for _, component := range slices.Sorted(maps.Keys(before.Versions)) {
		if is, both := now.Versions[component]; both {
			note("the versions of "+component, before.Versions[component], is)
		}
	}
	return slices.Concat(all, lacking("old", before, now), lacking("new", now, before))
}

// lacking tells what is in this run only, and what this run lacks itself: neither
// can be compared, and nobody should take it for unchanged.
func lacking(which string, this, other reports.ConformanceReport) []string {
	var all []string
	if why := this.Incomplete(); why != "" {
		all = append(all, fmt.Sprintf("the %s run is not complete: %s", which, why))
	}
	there := map[string]bool{}
	for _, one := range distributions(other) {
		there[one.name] = true
	}
	for _, one := range distributions(this) {
		if !there[one.name] {
			all = append(all, fmt.Sprintf("not compared, since only the %s run has it: %s", which, one.name))
		}
	}
	return all
}
