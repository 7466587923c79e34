package reports

import "slices"

// ProfileName is one of the two profiles.
type ProfileName string

// Each scenario is of one profile, by the tag of the same name.
const (
	// CoreProfile is what every implementation must do.
	CoreProfile ProfileName = "core"
	// ExtendedProfile is what an implementation may do; if it declares it,
	// it must.
	ExtendedProfile ProfileName = "extended"
)

// ProfileNames is the whole vocabulary.
func ProfileNames() []ProfileName { return []ProfileName{CoreProfile, ExtendedProfile} }

// ProfileResult says how conformant an implementation is.
type ProfileResult string

// The results of a profile.
const (
	// Success: every scenario of the profile has passed; of the extended
	// one, every scenario whose capabilities are declared.
	Success ProfileResult = "success"
	// Partial: nothing failed, but something was left out, skipped, not
	// decided, is a known gap, or is beyond the repertoire of an
	// implementation that declares what it takes.
	Partial ProfileResult = "partial"
	// Failure: something failed, or is flaky.
	Failure ProfileResult = "failure"
)

// Profile is the result of the scenarios of one profile.
type Profile struct {
	Name    ProfileName   `json:"name"`
	Result  ProfileResult `json:"result"`
	Summary Summary       `json:"summary"`
	// NotPassed are the scenarios that keep it from success, by id.
	NotPassed []string `json:"notPassed,omitempty"`
}

// profiles computes the results. A run of a part of the scenarios, one that
// did not end or lacks verdicts, or one with more patience than is allowed, can
// prove a failure but never a success.
func profiles(r ConformanceReport) []Profile {
	whole := r.Selection.Tags == "" && len(r.Selection.Paths) == 0 && r.Incomplete() == "" &&
		r.Timeouts.Scenario <= MaxScenarioTimeout.Seconds()
	all := []Profile{}
	for _, name := range ProfileNames() {
		p := Profile{Name: name, Result: Success}
		if !whole {
			p.Result = Partial
		}
		n := 0
		for _, s := range r.Scenarios {
			if slices.Contains(s.Tags, "@"+string(name)) {
				p.add(s)
				n++
			}
		}
		if n > 0 {
			all = append(all, p)
		}
	}
	return all
}

func (p *Profile) add(s Scenario) {
	*p.Summary.counter(s.Verdict)++
	switch {
	case s.Verdict == Passed, p.Name == ExtendedProfile && s.undeclared():
		return
	case s.Verdict == Failed, s.Verdict == Flaky:
		p.Result = Failure
	case p.Result == Success:
		p.Result = Partial
	}
	p.NotPassed = append(p.NotPassed, s.ID)
}

// undeclared says that the scenario needs what the implementation never claimed.
func (s Scenario) undeclared() bool {
	return s.Verdict == NotSupported && slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Kind == FaultCapability })
}
