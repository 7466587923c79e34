package reports

import (
	"fmt"
	"slices"
)

// StepStatus is how one step ended: a closed vocabulary.
type StepStatus string

// The statuses of steps.
const (
	StepPassed StepStatus = "passed"
	StepFailed StepStatus = "failed"
	// StepSkipped: the step found that the scenario does not apply here.
	StepSkipped StepStatus = "skipped"
	// StepNotSupported: the engine says that what the step asks of it is beyond
	// its repertoire. Whether it should be is for the profile to say.
	StepNotSupported StepStatus = "notSupported"
	// StepInconclusive: the environment or the harness got in its way.
	StepInconclusive StepStatus = "inconclusive"
	// StepUndefined: no definition matches, so it claims and checks nothing.
	StepUndefined StepStatus = "undefined"
	// StepPending: it has a definition that says it is not written yet.
	StepPending StepStatus = "pending"
	// StepNotRun: an earlier step ended the scenario.
	StepNotRun StepStatus = "notRun"
)

// StepStatuses is the whole vocabulary.
func StepStatuses() []StepStatus {
	return []StepStatus{StepPassed, StepFailed, StepSkipped, StepNotSupported, StepInconclusive, StepUndefined, StepPending, StepNotRun}
}

// Step is one step of a scenario, backgrounds included, and how it ended.
type Step struct {
	// Keyword is Given, When or Then, or * where the feature has that.
	Keyword string     `json:"keyword"`
	Text    string     `json:"text"`
	Status  StepStatus `json:"status"`
	// Error is what the step said when it did not pass.
	Error           string  `json:"error,omitempty"`
	DurationSeconds float64 `json:"durationSeconds"`
}

// FaultKind is what, beside its steps, can decide a scenario's verdict.
type FaultKind string

// The kinds of faults.
const (
	// FaultCapability: a capability it needs is not declared; it was not run.
	FaultCapability FaultKind = "capability"
	// FaultNotRun: the run was given up before it.
	FaultNotRun FaultKind = "notRun"
	// FaultSetUp: the bench was not in the state each scenario starts from.
	FaultSetUp FaultKind = "setUp"
	// FaultScenario: it has no steps, a hook failed, or a panic ended it.
	FaultScenario FaultKind = "scenario"
	// FaultInterrupted: a signal ended it, or a step did not end in time and
	// had to be abandoned.
	FaultInterrupted FaultKind = "interrupted"
	// FaultCleanUp: something was left behind.
	FaultCleanUp FaultKind = "cleanUp"
	// FaultEnvironment: the environment was found dead after a failure.
	FaultEnvironment FaultKind = "environment"
)

// FaultKinds is the whole vocabulary.
func FaultKinds() []FaultKind {
	return []FaultKind{FaultCapability, FaultNotRun, FaultSetUp, FaultScenario, FaultInterrupted, FaultCleanUp, FaultEnvironment}
}

// Fault is one such thing.
type Fault struct {
	Kind FaultKind `json:"kind"`
	Text string    `json:"text"`
}

func (s Scenario) validateFacts() error {
	for _, step := range s.Steps {
		if !slices.Contains(StepStatuses(), step.Status) {
			return fmt.Errorf("scenario %s: step %q: status %q: want one of %v", s.ID, step.Text, step.Status, StepStatuses())
		}
	}
	for _, f := range s.Faults {
		if !slices.Contains(FaultKinds(), f.Kind) {
			return fmt.Errorf("scenario %s: fault %q: want one of %v", s.ID, f.Kind, FaultKinds())
		}
	}
	return nil
}
