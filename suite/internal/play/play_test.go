package play_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	gherkin "github.com/cucumber/gherkin/go/v26"
	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite/internal/play"
)

func parse(t testing.TB, content []byte) *messages.Pickle {
	t.Helper()
	newID := (&messages.Incrementing{}).NewId
	document, err := gherkin.ParseGherkinDocument(bytes.NewReader(content), newID)
	require.NoError(t, err, "%s", content)
	pickles := gherkin.Pickles(*document, "x.feature", newID)
	require.Len(t, pickles, 1, "%s", content)
	return pickles[0]
}

func steps(t testing.TB, lines string) *messages.Pickle {
	return parse(t, []byte("Feature: F\n  Scenario: S\n"+lines))
}

// fakes are steps that end in every way a step can.
func fakes(sc *godog.ScenarioContext) {
	sc.Step(`^it passes$`, func() error { return nil })
	sc.Step(`^it fails$`, func() error { return errors.New("got 200, want 403") })
	sc.Step(`^it is skipped$`, func() error { return fmt.Errorf("%w: no third mesh", godog.ErrSkip) })
	sc.Step(`^it is skipped without a word$`, func() error { return godog.ErrSkip })
	sc.Step(`^it is pending$`, func() error { return godog.ErrPending })
	sc.Step(`^it is beyond$`, func() error { return fmt.Errorf("%w: no such step", reports.ErrNotSupported) })
	sc.Step(`^it panics$`, func() error { panic("boom") })
	sc.Step(`^it is (\w+)iguous$`, func(string) error { return nil })
	sc.Step(`^it is amb(\w+)$`, func(string) error { return nil })
	sc.Step(`^the environment dies$`, func() error { return fmt.Errorf("%w: probe could not be run", reports.ErrInconclusive) })
	sc.Step(`^it waits$`, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
}

func TestEveryEndOfAStepHasItsVerdict(t *testing.T) {
	for lines, want := range map[string]play.Outcome{
		"Given it passes\nThen it passes":                {Verdict: reports.Passed},
		"Given it fails\nThen it passes":                 {Verdict: reports.Failed, Reason: "it fails: got 200, want 403"},
		"Given it is skipped\nThen it fails":             {Verdict: reports.Skipped, Reason: "no third mesh"},
		"Given it passes\nThen it is skipped":            {Verdict: reports.Skipped, Reason: "no third mesh"},
		"Given it is skipped without a word":             {Verdict: reports.Skipped, Reason: "skipped at: it is skipped without a word"},
		"Given it is pending":                            {Verdict: reports.Failed, Reason: "it is pending: the step is not implemented yet"},
		"Given nobody knows it":                          {Verdict: reports.Failed, Reason: "nobody knows it: no step definition matches"},
		"Given it passes\nWhen it passes\nThen nobody x": {Verdict: reports.Failed, Reason: "nobody x: no step definition matches"},
		"Given it is beyond\nThen it fails":              {Verdict: reports.NotSupported, Reason: "it is beyond: not supported: no such step"},
		"Given it panics\nThen it passes":                {Verdict: reports.Failed, Reason: "it panics: boom"},
		"Given the environment dies":                     {Verdict: reports.Inconclusive, Reason: "the environment dies: inconclusive: probe could not be run"},
		"":                                               {Verdict: reports.Failed, Reason: "scenario: it has no steps, so it claims nothing"},
	} {
		pickle := &messages.Pickle{Name: "empty"}
		if lines != "" {
			pickle = steps(t, lines)
		}
		got := play.One(t.Context(), pickle, play.Stage{Register: fakes})
		assert.Equal(t, want, play.Outcome{Verdict: got.Verdict, Reason: got.Reason}, lines)
		assert.Equal(t, want.Verdict, reports.Rejudge(reports.Scenario{Steps: got.Steps, Faults: got.Faults}), "what is recorded says the same: %s", lines)
	}
}

func TestAnAmbiguousStepFails(t *testing.T) {
	got := play.One(t.Context(), steps(t, "Given it is ambiguous"), play.Stage{Register: fakes})
	assert.Equal(t, reports.Failed, got.Verdict)
	assert.Contains(t, got.Reason, "ambiguous step definition")
}

func TestErrorsAndPanicsOfHooksFailTheScenario(t *testing.T) {
	for name, hook := range map[string]func(*godog.ScenarioContext){
		"before": func(sc *godog.ScenarioContext) {
			sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) { return ctx, errors.New("boom") })
		},
		"after": func(sc *godog.ScenarioContext) {
			sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
				return ctx, errors.New("boom")
			})
		},
		"after, panic": func(sc *godog.ScenarioContext) {
			sc.After(func(context.Context, *godog.Scenario, error) (context.Context, error) { panic("boom") })
		},
		"register": func(*godog.ScenarioContext) { panic("boom") },
	} {
		stage := play.Stage{Register: func(sc *godog.ScenarioContext) { fakes(sc); hook(sc) }}
		got := play.One(t.Context(), steps(t, "Given it passes"), stage)
		assert.Equal(t, reports.Failed, got.Verdict, name)
		assert.Contains(t, got.Reason, "boom", name)
	}
}

func TestTheDeadlineFailsAScenarioAndAnInterruptDecidesNothing(t *testing.T) {
	late := errors.New("scenario time-out of 5ms")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Millisecond, late)
	defer cancel()
	got := play.One(ctx, steps(t, "Given it waits"), play.Stage{Register: fakes})
	assert.Equal(t, reports.Failed, got.Verdict)
	assert.Contains(t, got.Reason, late.Error())

	interrupted, stop := context.WithCancel(t.Context())
	stop()
	got = play.One(interrupted, steps(t, "Given it waits"), play.Stage{Register: fakes})
	assert.Equal(t, reports.Inconclusive, got.Verdict)
	assert.Contains(t, got.Reason, "interrupted")
}

func TestAStepThatIgnoresItsDeadlineIsAbandoned(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	release := make(chan struct{})
	defer close(release)
	stage := play.Stage{Grace: time.Millisecond, Register: func(sc *godog.ScenarioContext) {
		sc.Step(`^it hangs$`, func() { <-release })
	}}
	got := play.One(ctx, steps(t, "Given it hangs"), stage)
	assert.True(t, got.Abandoned)
	assert.Equal(t, reports.Inconclusive, got.Verdict)
}

func TestEveryStepIsAnnouncedUntilOneDoesNotPass(t *testing.T) {
	var seen []string
	stage := play.Stage{Register: fakes, OnStep: func(text string) { seen = append(seen, text) }}
	play.One(t.Context(), steps(t, "Given it passes\nWhen it fails\nThen it passes"), stage)
	assert.Equal(t, []string{"it passes", "it fails"}, seen)
}

const awkward = `    Given text with "quotes" and <brackets> and | pipes
      """yaml
      a:
        b: "x"
        \"\"\"
      """
    When a table
      | a \| b | c \\ d | e\nf |  |
      | 1      | 2      | 3    | 4 |
    Then an outcome
    * anything
    And an empty text
      """
      """
`

func TestARenderedScenarioParsesToTheSameSteps(t *testing.T) {
	original := steps(t, awkward)
	again := parse(t, play.Render(original))
	require.Len(t, again.Steps, len(original.Steps))
	for i, want := range original.Steps {
		got := again.Steps[i]
		assert.Equal(t, want.Text, got.Text)
		assert.Equal(t, want.Type, got.Type)
		assert.Equal(t, want.Argument, got.Argument)
	}
}
