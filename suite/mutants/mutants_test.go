package mutants_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/mutants"
)

func TestEveryMutantIsLookedForByScenariosThatExist(t *testing.T) {
	scenarios, err := suite.Select(features.FS, suite.Selection{})
	require.NoError(t, err)
	var ids []string
	for _, s := range scenarios {
		ids = append(ids, s.ID)
	}
	all := mutants.All()
	require.NoError(t, mutants.Check(all, ids))
	telling := 0
	for _, m := range all {
		if m.Equivalent == "" {
			telling++
		}
	}
	assert.GreaterOrEqual(t, telling, 40)
	assert.ErrorContains(t, mutants.Check(append(all, all[0]), ids), "two mutants are called")
	assert.ErrorContains(t, mutants.Check(all, ids[1:2]), "no scenario has the id")
	assert.ErrorContains(t, mutants.Check([]mutants.Mutant{{Name: "x"}}, ids), "nobody is to look for it")
}

func TestAMutantIsDeadOnlyIfAScenarioFailedBecauseOfIt(t *testing.T) {
	passed := mutants.Try{Scenario: "a", Verdict: reports.Passed, InForce: true}
	failed := mutants.Try{Scenario: "b", Verdict: reports.Failed, InForce: true, Reason: "got 200"}
	for name, c := range map[string]struct {
		result mutants.Result
		want   mutants.Fate
		good   bool
	}{
		"nobody noticed":                  {mutants.Result{Tries: []mutants.Try{passed}}, mutants.Survived, false},
		"nobody looked":                   {mutants.Result{}, mutants.Survived, false},
		"the second noticed":              {mutants.Result{Tries: []mutants.Try{passed, failed}}, mutants.Killed, true},
		"refused by the API server":       {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Failed, Refused: "no"}}}, mutants.Refused, true},
		"refused, but in force elsewhere": {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Failed, Refused: "no", InForce: true}}}, mutants.Killed, true},
		"nobody knows what became of it":  {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Failed, Unsure: "deadline"}}}, mutants.Undecided, false},
		"in force, and then not known":    {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Failed, Unsure: "deadline", InForce: true}}}, mutants.Killed, true},
		"equivalent, and nobody noticed":  {mutants.Result{Equivalent: "proof", Tries: []mutants.Try{passed}}, mutants.Equivalent, true},
		"equivalent, and somebody did":    {mutants.Result{Equivalent: "proof", Tries: []mutants.Try{failed}}, mutants.WrongProof, false},
		"red before the fault was there":  {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Failed}}}, mutants.FalseAlarm, false},
		"dead, after a false alarm":       {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Failed}, failed}}, mutants.FalseAlarm, false},
		"the environment died":            {mutants.Result{Tries: []mutants.Try{{Verdict: reports.Inconclusive, InForce: true}}}, mutants.Undecided, false},
		"a known gap is no find":          {mutants.Result{Tries: []mutants.Try{{Verdict: reports.KnownGap, InForce: true}}}, mutants.Survived, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, c.result.Fate())
			assert.Equal(t, c.good, c.result.Fate().Good())
		})
	}
}

func TestTheMatrixSaysWhoKilledWhom(t *testing.T) {
	m := mutants.Matrix{Where: "a lab", Results: []mutants.Result{
		{Mutant: "no policy", Where: "grant", Widens: true, Tries: []mutants.Try{{Scenario: "expose/a", Verdict: reports.Failed, InForce: true, Reason: "got a | b\nmore"}}},
		{Mutant: "no port", Equivalent: "there is one", Tries: []mutants.Try{{Verdict: reports.Passed, InForce: true}}},
		{Mutant: "no header", Tries: []mutants.Try{{Scenario: "consume/b", Verdict: reports.Passed, InForce: true}}},
	}}
	assert.False(t, m.Good())
	assert.Equal(t, "3 mutants: 1 killed, 1 equivalent, 1 survived", m.Line())
	var b bytes.Buffer
	require.NoError(t, m.WriteMarkdown(&b))
	for _, want := range []string{
		`| no policy | grant | yes | expose/a | got a \| b more |`, "| no port | there is one |", "## Survived\n\n- no header", "| expose/a | 1 |",
	} {
		assert.Contains(t, b.String(), want)
	}
	assert.False(t, mutants.Matrix{}.Good(), "nothing proves nothing")
}

// fake is an engine whose verbs do nothing, and a place where one step asks it.
type fake struct {
	wrong, inForce bool
	cleaned        int
	dirty          error
}

func (*fake) Name() string                                          { return "fake" }
func (*fake) Version() string                                       { return "" }
func (*fake) Capabilities() []engine.Capability                     { return engine.Capabilities() }
func (*fake) Cancel(context.Context, cluster.Cluster, string) error { return nil }
func (f *fake) InForce() bool                                       { return f.inForce }
func (*fake) Refused() error                                        { return nil }
func (*fake) Unsure() error                                         { return nil }
func (*fake) Settle(context.Context) error                          { return nil }
func (f *fake) Apply(context.Context, cluster.Cluster, string) (err error) {
	f.inForce = true
	if f.wrong {
		err = errors.New("wrong")
	}
	return err
}

type fakePlace struct {
	stage *mutants.Stage
	sound *fake
}

func (fakePlace) Facts() suite.Facts                                     { return suite.Facts{} }
func (fakePlace) Healthy(context.Context) error                          { return nil }
func (p fakePlace) Begin(context.Context, string) (suite.Session, error) { return fakeSession(p), nil }
func (p fakePlace) Clean(ctx context.Context) error {
	p.sound.cleaned++
	return errors.Join(p.sound.dirty, p.stage.Apply(ctx, nil, ""))
}

type fakeSession fakePlace

func (s fakeSession) Steps(sc *godog.ScenarioContext) {
	sc.Step(`^it works$`, func(ctx context.Context) error { return s.stage.Apply(ctx, nil, "") })
	sc.Step(`^nothing is asked$`, func() error { return nil })
}
func (fakeSession) Figures() reports.Figures                           { return reports.Figures{} }
func (fakeSession) Requests() string                                   { return "" }
func (fakeSession) Evidence(context.Context, string) ([]string, error) { return nil, nil }
func (fakeSession) Close(context.Context) error                        { return nil }

// hunt is one on two scenarios, of which the first asks nothing.
func hunt(t *testing.T, sound *fake) mutants.Hunt {
	t.Helper()
	all, err := suite.Select(fstest.MapFS{"f.feature": {Data: []byte(
		"@core\nFeature: F\n\n  Scenario: blind\n    Given nothing is asked\n\n  Scenario: sharp\n    Given it works\n\n  Scenario: late\n    Given it works\n")}}, suite.Selection{})
	require.NoError(t, err)
	h := mutants.Hunt{Stage: mutants.NewStage(sound), Sound: sound, Scenarios: map[string]suite.Scenario{}}
	for _, s := range all {
		h.Scenarios[s.ID] = s
	}
	h.Place = fakePlace{h.Stage, sound}
	return h
}

// known are scenarios that have passed with the sound engine.
func known() map[string]time.Duration {
	return map[string]time.Duration{"f/blind": 0, "f/sharp": 0, "f/late": 0}
}

func suspicious(wrong bool) mutants.Mutant {
	return mutants.Mutant{
		Name: "m", Suspects: []string{"f/blind", "f/sharp", "f/late"},
		Engine: func() mutants.Broken { return &fake{wrong: wrong} },
	}
}

func TestTheFirstWhoNoticesEndsTheHuntUnlessItIsFull(t *testing.T) {
	sound := &fake{}
	h := hunt(t, sound)
	result, err := h.Mutant(t.Context(), suspicious(true), known())
	require.NoError(t, err)
	assert.Equal(t, mutants.Killed, result.Fate())
	assert.Equal(t, []string{"f/sharp"}, result.Killers())
	assert.Equal(t, 2, sound.cleaned, "the sound engine cleans up after each")
	h.Full = true
	result, err = h.Mutant(t.Context(), suspicious(true), known())
	require.NoError(t, err)
	assert.Equal(t, []string{"f/sharp", "f/late"}, result.Killers())
	result, err = h.Mutant(t.Context(), suspicious(false), known())
	require.NoError(t, err)
	assert.Equal(t, mutants.Survived, result.Fate())
}

func TestNothingIsSaidOfMutantsWhereTheSoundEngineIsRed(t *testing.T) {
	took := map[string]time.Duration{}
	m := suspicious(true)
	m.Suspects = []string{"f/sharp"}
	_, err := hunt(t, &fake{wrong: true}).Mutant(t.Context(), m, took)
	assert.ErrorIs(t, err, mutants.ErrUnsound)
	result, err := hunt(t, &fake{}).Mutant(t.Context(), suspicious(true), took)
	require.NoError(t, err)
	assert.Equal(t, mutants.Killed, result.Fate())
	assert.Len(t, took, 2, "only those who had to look were asked before")
}

func TestAPlaceThatCannotBeCleanedEndsTheHunt(t *testing.T) {
	_, err := hunt(t, &fake{dirty: errors.New("still there: x")}).Mutant(t.Context(), suspicious(true), known())
	assert.ErrorContains(t, err, "still there: x")
}
