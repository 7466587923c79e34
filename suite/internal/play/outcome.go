package play

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
)

// Outcome is how a scenario ended.
type Outcome struct {
	Verdict reports.Verdict
	// Reason is empty if Verdict is Passed.
	Reason string
	// Abandoned is set if a step went on after its deadline and could not
	// be stopped: it may still act on the clusters, so that no later
	// scenario can be trusted.
	Abandoned bool
	// Steps are all of the scenario's and how each ended.
	Steps []reports.Step
	// Faults are what beside its steps decided the verdict.
	Faults []reports.Fault
}

// statusOf is the word of the report for how a step ended. An error counts
// whatever godog calls it.
func statusOf(status godog.StepResultStatus, err error) reports.StepStatus {
	switch {
	case status == godog.StepSkipped && errors.Is(err, godog.ErrSkip):
		return reports.StepSkipped
	case status == godog.StepUndefined:
		return reports.StepUndefined
	case status == godog.StepPending:
		return reports.StepPending
	case errors.Is(err, reports.ErrNotSupported):
		return reports.StepNotSupported
	case errors.Is(err, reports.ErrInconclusive):
		return reports.StepInconclusive
	case status == godog.StepPassed && err == nil:
		return reports.StepPassed
	}
	return reports.StepFailed
}

// judge makes the outcome of a step that did not pass.
func judge(step string, status reports.StepStatus, err error) Outcome {
	switch status {
	case reports.StepSkipped:
		return Outcome{Verdict: reports.Skipped, Reason: skipReason(step, err)}
	case reports.StepUndefined:
		return failed(step, errors.New("no step definition matches"))
	case reports.StepPending:
		return failed(step, errors.New("the step is not implemented yet"))
	case reports.StepNotSupported:
		return Outcome{Verdict: reports.NotSupported, Reason: describe(step, err)}
	case reports.StepInconclusive:
		return Outcome{Verdict: reports.Inconclusive, Reason: describe(step, err)}
	}
	return failed(step, err)
}

func failed(step string, err error) Outcome {
	return Outcome{Verdict: reports.Failed, Reason: describe(step, err)}
}

// broken is a failure that no step had.
func broken(where string, err error) Outcome {
	o := failed(where, err)
	o.Faults = []reports.Fault{{Kind: reports.FaultScenario, Text: o.Reason}}
	return o
}

// describe: a step that has a table or a text ends with a colon of its own.
func describe(step string, err error) string {
	return fmt.Sprintf("%s: %v", strings.TrimSuffix(step, ":"), err)
}

// skipReason is the text a step wrapped around or behind ErrSkip; a bare
// ErrSkip has the step for its only reason.
func skipReason(step string, err error) string {
	sentinel := godog.ErrSkip.Error()
	text := strings.TrimSpace(err.Error())
	text = strings.TrimPrefix(text, sentinel+": ")
	text = strings.TrimSuffix(text, ": "+sentinel)
	if text == sentinel {
		return "skipped at: " + step
	}
	return text
}
