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
	done := make(chan Outcome, 1)
	go func() { done <- perform(ctx, pickle, stage) }()
	select {
	case outcome := <-done:
		return ended(ctx, outcome)
	case <-ctx.Done():
	}
	if stage.Grace == 0 {
		stage.Grace = defaultGrace
	}
	grace := time.NewTimer(stage.Grace)
	defer grace.Stop()
	select {
	case outcome := <-done:
		return ended(ctx, outcome)
	case <-grace.C:
		return Outcome{
			Verdict:   reports.Inconclusive,
			Reason:    fmt.Sprintf("a step went on %s after the end of the scenario: %v", stage.Grace, context.Cause(ctx)),
			Abandoned: true,
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
		return Outcome{Verdict: reports.Inconclusive, Reason: "interrupted: " + o.Reason}
	}
	o.Reason += fmt.Sprintf(" (%v)", cause)
	return o
}

// perform is a whole godog run for one scenario. godog recovers panics of
// steps, but not of its hooks or of Register.
func perform(ctx context.Context, pickle *messages.Pickle, stage Stage) (outcome Outcome) {
	defer func() {
		if p := recover(); p != nil {
			outcome = failed("panic", fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	watch := watcher{onStep: stage.OnStep}
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
	return watch.outcome(len(pickle.Steps), status)
}

// watcher follows the steps of one scenario.
type watcher struct {
	onStep func(string)
	passed int
	// first is the outcome of the first step that did not pass.
	first *Outcome
}

func (w *watcher) before(ctx context.Context, step *godog.Step) (context.Context, error) {
	if w.onStep != nil && w.first == nil {
		w.onStep(step.Text)
	}
	return ctx, nil
}

func (w *watcher) after(ctx context.Context, step *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
	switch {
	case w.first != nil:
	case status == godog.StepPassed && err == nil:
		w.passed++
	default:
		o := judge(step.Text, status, err)
		w.first = &o
	}
	return ctx, nil
}

// end sees what after cannot: an error of a scenario hook.
func (w *watcher) end(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
	if w.first == nil && err != nil {
		o := failed("after the scenario", err)
		w.first = &o
	}
	return ctx, nil
}

// outcome is passed only if every step passed and godog says so too.
func (w *watcher) outcome(steps, status int) Outcome {
	switch {
	case w.first != nil:
		return *w.first
	case steps == 0:
		return failed("scenario", errors.New("it has no steps, so it claims nothing"))
	case w.passed != steps:
		return failed("scenario", fmt.Errorf("%d of %d steps were run", w.passed, steps))
	case status != 0:
		return failed("scenario", fmt.Errorf("godog's exit status is %d though every step passed", status))
	}
	return Outcome{Verdict: reports.Passed}
}
