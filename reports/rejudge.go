package reports

import (
	"errors"
	"slices"
)

// Rejudge is the verdict that follows from what is recorded of a scenario: its
// steps, faults, figures, tags and repetitions. It looks at neither the
// verdict nor the reason that stand there, so that the two can be compared.
func Rejudge(s Scenario) Verdict {
	if len(s.Attempts) > 0 {
		// Where all have passed, so has the one whose record stands for them.
		if verdict := rejudgeAttempts(s.Attempts); verdict != Passed {
			return verdict
		}
	}
	return rejudgeRecord(s)
}

// rejudgeRecord is the verdict of the one play whose steps and faults are recorded.
func rejudgeRecord(s Scenario) Verdict {
	has := func(kind FaultKind) bool {
		return slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Kind == kind })
	}
	switch {
	case has(FaultCapability):
		return NotSupported
	case has(FaultNotRun), has(FaultSetUp), has(FaultEnvironment):
		return Inconclusive
	}
	verdict := rejudgeSteps(s.Steps)
	if has(FaultScenario) && (verdict == Passed || verdict == Skipped) {
		verdict = Failed
	}
	if has(FaultInterrupted) && (verdict == Failed || verdict == Passed) {
		verdict = Inconclusive
	}
	if verdict == Passed {
		verdict = rejudgeFigures(s.Figures)
	}
	if has(FaultCleanUp) && (verdict == Passed || verdict == Skipped || verdict == NotSupported) {
		verdict = Failed
	}
	verdict, _ = Excuse(s, verdict)
	return verdict
}

// rejudgeSteps: the first step that did not pass decides; no steps at all
// claim nothing, which is a failure.
func rejudgeSteps(steps []Step) Verdict {
	for _, step := range steps {
		switch step.Status {
		case StepPassed:
		case StepSkipped:
			return Skipped
		case StepNotSupported:
			return NotSupported
		case StepInconclusive:
			return Inconclusive
		default:
			return Failed
		}
	}
	if len(steps) == 0 {
		return Failed
	}
	return Passed
}

func rejudgeFigures(f Figures) Verdict {
	err := Weighed(f.Validate(), f.Holds())
	switch {
	case err == nil:
		return Passed
	case errors.Is(err, ErrInconclusive):
		return Inconclusive
	}
	return Failed
}

// rejudgeAttempts: attempts that agree are one verdict. A scenario that both
// passes and does not is flaky, whichever came first; where the environment
// died in between, that is all that can be said unless something failed.
func rejudgeAttempts(attempts []Attempt) Verdict {
	seen := map[Verdict]int{}
	for _, a := range attempts {
		seen[a.Verdict]++
	}
	switch {
	case len(seen) == 1:
		return attempts[0].Verdict
	case seen[Passed] > 0 && (seen[Failed] > 0 || seen[Skipped] > 0 || seen[KnownGap] > 0):
		return Flaky
	case seen[Failed] > 0:
		return Failed
	case seen[Inconclusive] > 0:
		return Inconclusive
	}
	return Flaky
}
