package play

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"

	"github.com/meshfed/meshfed/reports"
)

// watcher follows the steps of one scenario.
type watcher struct {
	onStep func(string)
	// steps are all of the scenario's, in order; at is the one that runs.
	steps []reports.Step
	at    int
	begun time.Time
	// first is the outcome of the first step that did not pass.
	first *Outcome
}

func newWatcher(pickle *messages.Pickle, onStep func(string)) *watcher {
	w := &watcher{onStep: onStep}
	for _, step := range pickle.Steps {
		w.steps = append(w.steps, reports.Step{Keyword: keyword(step.Type), Text: step.Text, Status: reports.StepNotRun})
	}
	return w
}

func (w *watcher) before(ctx context.Context, step *godog.Step) (context.Context, error) {
	if w.onStep != nil && w.first == nil {
		w.onStep(step.Text)
	}
	w.begun = time.Now()
	return ctx, nil
}

func (w *watcher) after(ctx context.Context, step *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
	if w.first != nil {
		return ctx, nil
	}
	result := statusOf(status, err)
	if result != reports.StepPassed {
		o := judge(step.Text, result, err)
		w.first = &o
	}
	w.note(result, err)
	return ctx, nil
}

func (w *watcher) note(status reports.StepStatus, err error) {
	// More results than steps would be godog's fault; outcome notices.
	if w.at < len(w.steps) {
		one := &w.steps[w.at]
		one.Status, one.DurationSeconds = status, time.Since(w.begun).Round(time.Microsecond).Seconds()
		if err != nil {
			one.Error = err.Error()
		}
	}
	w.at++
}

// end sees what after cannot: an error of a scenario hook.
func (w *watcher) end(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
	if w.first == nil && err != nil {
		o := broken("after the scenario", err)
		w.first = &o
	}
	return ctx, nil
}

// outcome is passed only if every step passed and godog says so too.
func (w *watcher) outcome(status int) Outcome {
	o := w.decide(status)
	o.Steps = w.steps
	return o
}

func (w *watcher) decide(status int) Outcome {
	switch {
	case w.first != nil:
		return *w.first
	case len(w.steps) == 0:
		return broken("scenario", errors.New("it has no steps, so it claims nothing"))
	case w.at != len(w.steps):
		return broken("scenario", fmt.Errorf("%d of %d steps were run", w.at, len(w.steps)))
	case status != 0:
		return broken("scenario", fmt.Errorf("godog's exit status is %d though every step passed", status))
	}
	return Outcome{Verdict: reports.Passed}
}
