package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite/internal/play"
)

// Judge plays scenarios one at a time and says what came of each.
type Judge struct {
	Bench Bench
	// Timeout of one scenario without its clean-up. Zero means 60 s. One that is
	// tagged @load has twice as long.
	Timeout time.Duration
	// CleanupTimeout bounds evidence, which has half of it, and clean-up
	// together, also when the run was interrupted. Zero means 30 s; after an
	// interrupt it is at most 4 s, since a person is waiting.
	CleanupTimeout time.Duration
	// EvidenceDir says where the evidence of a scenario goes. If nil, none
	// is taken.
	EvidenceDir func(scenarioID string) string
	// OnStep is told each step before it runs. May be nil.
	OnStep func(text string)
}

const (
	defaultTimeout        = 60 * time.Second
	defaultCleanupTimeout = 30 * time.Second
	interruptedCleanup    = 4 * time.Second
)

// ErrEnvironment means that no later scenario can be judged here.
var ErrEnvironment = errors.New("the environment is not usable any more")

// Scenario plays s. The error is non-nil only if the bench cannot be used for
// another scenario; the verdict stands in either case.
func (j Judge) Scenario(ctx context.Context, s Scenario) (reports.Scenario, error) {
	start := time.Now()
	entry := describe(s)
	outcome := j.play(ctx, s, &entry)
	environment := j.environment(ctx, &outcome)
	entry.Verdict, entry.Reason = outcome.Verdict, outcome.Reason
	entry.Steps, entry.Faults = outcome.Steps, outcome.Faults
	knownGap(&entry)
	entry.DurationSeconds = time.Since(start).Round(time.Millisecond).Seconds()
	return entry, environment
}

func (j Judge) play(ctx context.Context, s Scenario, entry *reports.Scenario) play.Outcome {
	timeout := j.timeout(s)
	limited, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the scenario's time-out of %s is over", timeout))
	defer cancel()
	session, err := j.Bench.Begin(limited, s.ID)
	if err != nil {
		return beginFailed(ctx, err)
	}
	outcome := play.One(limited, s.Pickle, play.Stage{Register: session.Steps, OnStep: j.OnStep})
	entry.Figures = session.Figures()
	contradict(&outcome, entry.Figures)
	j.cleanUp(ctx, session, &outcome, entry)
	return outcome
}

// loadTag is that of scenarios whose time is spent on sending. How long they send
// until they know enough is a matter of the machine's noise, and no patience with
// who answers.
const loadTag = "@load"

func (j Judge) timeout(s Scenario) time.Duration {
	timeout := cmp.Or(j.Timeout, defaultTimeout)
	if slices.Contains(s.Tags, loadTag) {
		timeout *= 2
	}
	return timeout
}

// beginFailed: a bench that is not clean decides nothing about this scenario,
// unless the bench itself knows better.
func beginFailed(ctx context.Context, err error) play.Outcome {
	reason := fmt.Sprintf("before the first step: %v", err)
	if ctx.Err() != nil {
		reason = "interrupted " + reason
	}
	return play.Outcome{
		Verdict: reports.Inconclusive, Reason: reason,
		Faults: []reports.Fault{{Kind: reports.FaultSetUp, Text: reason}},
	}
}

// contradict takes a pass away from a scenario whose own figures do not
// support it: a step that measured and forgot to look must not be green.
func contradict(outcome *play.Outcome, figures reports.Figures) {
	err := figures.Holds()
	switch {
	case outcome.Verdict != reports.Passed || err == nil:
	case errors.Is(err, reports.ErrInconclusive):
		outcome.Verdict, outcome.Reason = reports.Inconclusive, err.Error()
	default:
		outcome.Verdict, outcome.Reason = reports.Failed, fmt.Sprintf("every step passed, but: %v", err)
	}
}

// cleanUp takes the evidence, then closes the session, in this order and with
// a budget of its own: neither a scenario's time-out nor an interrupt may
// leave its objects in the clusters.
func (j Judge) cleanUp(ctx context.Context, session Session, outcome *play.Outcome, entry *reports.Scenario) {
	budget := cmp.Or(j.CleanupTimeout, defaultCleanupTimeout)
	if ctx.Err() != nil {
		budget = min(budget, interruptedCleanup)
	}
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	if ctx.Err() == nil {
		// Evidence that hangs leaves half of the budget: what is not cleaned up
		// now is in the way of every scenario that follows.
		looking, enough := context.WithTimeout(own, budget/2)
		j.evidence(looking, session, outcome, entry)
		enough()
	}
	if err := session.Close(own); err != nil {
		outcome.Reason = join(outcome.Reason, fmt.Sprintf("clean-up: %v", err))
		outcome.Faults = append(outcome.Faults, reports.Fault{Kind: reports.FaultCleanUp, Text: err.Error()})
		// An unfinished clean-up after an interrupt is the harness's doing.
		switch outcome.Verdict {
		case reports.Passed, reports.Skipped, reports.NotSupported:
			outcome.Verdict = reports.Failed
		}
	}
}

// environment asks after a failure whether it was the environment's.
func (j Judge) environment(ctx context.Context, outcome *play.Outcome) error {
	if outcome.Abandoned {
		return fmt.Errorf("%w: %s", ErrEnvironment, outcome.Reason)
	}
	if outcome.Verdict != reports.Failed && outcome.Verdict != reports.Inconclusive || ctx.Err() != nil {
		return nil
	}
	if err := j.Bench.Healthy(ctx); err != nil {
		outcome.Verdict = reports.Inconclusive
		outcome.Reason = join(fmt.Sprintf("the environment died: %v", err), "seen first: "+outcome.Reason)
		outcome.Faults = append(outcome.Faults, reports.Fault{Kind: reports.FaultEnvironment, Text: err.Error()})
		return fmt.Errorf("%w: %w", ErrEnvironment, err)
	}
	return nil
}

// knownGap looks the scenario up among the gaps, and says in the reason what
// they made of it.
func knownGap(entry *reports.Scenario) {
	verdict, why := reports.Excuse(*entry, entry.Verdict)
	switch {
	case why == "":
		return
	case verdict == reports.KnownGap:
		why += ": " + entry.Reason
	}
	entry.Verdict, entry.Reason = verdict, why
}

func describe(s Scenario) reports.Scenario {
	return reports.Scenario{
		ID: s.ID, Feature: s.Feature, Rule: s.Rule, Name: s.Name, Tags: s.Tags, File: s.File, Line: s.Line,
	}
}

func join(first, second string) string {
	if first == "" {
		return second
	}
	return first + "\n" + second
}
