package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"

	"github.com/meshfed/meshfed/reports"
)

// Stage is what the steps of one scenario are and who watches them.
type Stage struct {
	// Register adds the step definitions (and hooks) of this scenario.
	Register func(*godog.ScenarioContext)
	// OnStep is called before each step with its text. May be nil.
	OnStep func(text string)
	// Grace is how long a step may go on after ctx has ended before it is
	// given up. Zero means 10 s.
	Grace time.Duration
}

const defaultGrace = 10 * time.Second

// One plays a scenario to its end or to the end of ctx, whichever comes first.
// The context's cause says in the outcome why it ended.
func One(ctx context.Context, pickle *messages.Pickle, stage Stage) Outcome {
	if stage.Grace == 0 {
		stage.Grace = defaultGrace
	}
	done := make(chan Outcome, 1)
	go func() { done <- perform(ctx, pickle, stage) }()
	select {
	case outcome := <-done:
		return ended(ctx, outcome)
	case <-ctx.Done():
	}
	grace := time.NewTimer(stage.Grace)
	defer grace.Stop()
	select {
	case outcome := <-done:
		return ended(ctx, outcome)
	case <-grace.C:
		reason := fmt.Sprintf("a step went on %s after the end of the scenario: %v", stage.Grace, context.Cause(ctx))
		return Outcome{
			Verdict: reports.Inconclusive, Reason: reason, Abandoned: true,
			Faults: []reports.Fault{{Kind: reports.FaultInterrupted, Text: reason}},
			Steps:  newWatcher(pickle, nil).steps,
		}
	}
}

// ended adds to a failure that the scenario's time was over, or that it was
// told to stop: then it is the harness's doing and decides nothing.
func ended(ctx context.Context, o Outcome) Outcome {
	cause := context.Cause(ctx)
	switch {
	case cause == nil, o.Verdict != reports.Failed:
		return o
	case errors.Is(cause, context.Canceled):
		o.Verdict, o.Reason = reports.Inconclusive, "interrupted: "+o.Reason
		o.Faults = append(o.Faults, reports.Fault{Kind: reports.FaultInterrupted, Text: cause.Error()})
		return o
	}
	o.Reason += fmt.Sprintf(" (%v)", cause)
	return o
}

// perform is a whole godog run for one scenario. godog recovers panics of
// steps, but not of its hooks or of Register.
func perform(ctx context.Context, pickle *messages.Pickle, stage Stage) (outcome Outcome) {
	defer func() {
		if p := recover(); p != nil {
			outcome = broken("panic", fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	watch := newWatcher(pickle, stage.OnStep)
	status := godog.TestSuite{
		Name: pickle.Name,
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			stage.Register(sc)
			// Last, so as to see the errors of the other hooks as well.
			sc.StepContext().Before(watch.before)
			sc.StepContext().After(watch.after)
			sc.After(watch.end)
		},
		Options: &godog.Options{
			// Any formatter will do, its output is discarded.
			Format:          "progress",
			Output:          io.Discard,
			NoColors:        true,
			Strict:          true,
			Concurrency:     1,
			DefaultContext:  ctx,
			FeatureContents: []godog.Feature{{Name: "one.feature", Contents: Render(pickle)}},
		},
	}.Run()
	return watch.outcome(status)
}
