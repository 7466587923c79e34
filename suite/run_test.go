package suite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
)

// fakeBench plays the place: its steps end as their words say.
type fakeBench struct {
	begin, health, close error
	// figures are what each scenario measures.
	figures reports.Figures
	// onStep runs in the step "it acts".
	onStep func()
	// onClose is told how many sessions were closed, this one included.
	onClose func(n int32)
	begun   atomic.Int32
	closed  atomic.Int32
	// atEvidence is how many sessions were closed when evidence was taken.
	atEvidence atomic.Int32
}

func (b *fakeBench) Facts() suite.Facts {
	return suite.Facts{Provider: "fake", Topology: reports.Topology{Lab: "lab", Clusters: []string{"c1", "c2"}}}
}

func (b *fakeBench) Begin(context.Context, string) (suite.Session, error) {
	b.begun.Add(1)
	return fakeSession{b}, b.begin
}

func (b *fakeBench) Healthy(context.Context) error { return b.health }

type fakeSession struct{ bench *fakeBench }

func (s fakeSession) Steps(sc *godog.ScenarioContext) {
	sc.Step(`^it passes$`, func() error { return nil })
	sc.Step(`^it fails$`, func() error { return errors.New("got 200, want 403") })
	sc.Step(`^it fails on (.+)$`, func(kinds string) error {
		var errs []error
		for kind := range strings.SplitSeq(kinds, ", ") {
			errs = append(errs, reports.Revocation("a list", reports.Connection(kind), 2000, []float64{9998}).Holds())
		}
		return errors.Join(errs...)
	})
	sc.Step(`^it is skipped$`, func() error { return fmt.Errorf("%w: no third mesh", godog.ErrSkip) })
	sc.Step(`^it is beyond the engine$`, func() error { return fmt.Errorf("%w: no such step", reports.ErrNotSupported) })
	sc.Step(`^it panics$`, func() error { panic("boom") })
	sc.Step(`^it waits$`, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	sc.Step(`^it passes every second time$`, func() error {
		if s.bench.begun.Load()%2 == 0 {
			return errors.New("not this time")
		}
		return nil
	})
	sc.Step(`^it decides nothing at first, and fails then$`, func() error {
		if s.bench.begun.Load() == 1 {
			return fmt.Errorf("%w: no answer", reports.ErrInconclusive)
		}
		return errors.New("got 200, want 403")
	})
	sc.Step(`^it acts$`, func(ctx context.Context) error { s.bench.onStep(); return ctx.Err() })
}

func (s fakeSession) Figures() reports.Figures { return s.bench.figures }

func (s fakeSession) Requests() string { return "GET /: 200\n" }

func (s fakeSession) Evidence(_ context.Context, dir string) ([]string, error) {
	s.bench.atEvidence.Store(s.bench.closed.Load())
	return []string{"why.txt"}, errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "why.txt"), nil, 0o644))
}

func (s fakeSession) Close(context.Context) error {
	n := s.bench.closed.Add(1)
	if s.bench.onClose != nil {
		s.bench.onClose(n)
	}
	return s.bench.close
}

func scenarios(lines ...string) fstest.MapFS {
	content := "Feature: F\n"
	for i, l := range lines {
		content += fmt.Sprintf("  Scenario: S%d\n    Given %s\n", i+1, l)
	}
	return featureFile(content)
}

func featureFile(content string) fstest.MapFS {
	return fstest.MapFS{"f.feature": {Data: []byte(content)}}
}

func aSuite(t *testing.T, bench suite.Bench, features fstest.MapFS) suite.Suite {
	t.Helper()
	return suite.Suite{
		Features: features, Out: t.TempDir(), ID: "run", Timeout: 5 * time.Second,
		Capabilities: suite.Capabilities{Known: []string{"acl", "expose"}, Declared: []string{"expose"}},
		Prepare:      func(context.Context) (suite.Bench, error) { return bench, nil },
	}
}

// verdicts are those of a report, each of which must follow from what the
// report records of it as well.
func verdicts(t *testing.T, r reports.ConformanceReport) []reports.Verdict {
	t.Helper()
	var all []reports.Verdict
	for _, s := range r.Scenarios {
		assert.Equal(t, s.Verdict, reports.Rejudge(s), s.ID)
		all = append(all, s.Verdict)
	}
	return all
}

func TestVerdictsAndExitCodesAreAsPromised(t *testing.T) {
	for name, c := range map[string]struct {
		steps []string
		want  []reports.Verdict
		exit  int
	}{
		"pass":             {[]string{"it passes", "it passes"}, []reports.Verdict{reports.Passed, reports.Passed}, reports.ExitGreen},
		"fail":             {[]string{"it fails", "it passes"}, []reports.Verdict{reports.Failed, reports.Passed}, reports.ExitNonConformant},
		"skip is a skip":   {[]string{"it is skipped", "it passes"}, []reports.Verdict{reports.Skipped, reports.Passed}, reports.ExitGreen},
		"beyond":           {[]string{"it is beyond the engine", "it passes"}, []reports.Verdict{reports.NotSupported, reports.Passed}, reports.ExitGreen},
		"all beyond":       {[]string{"it is beyond the engine"}, []reports.Verdict{reports.NotSupported}, reports.ExitInconclusive},
		"only skips":       {[]string{"it is skipped"}, []reports.Verdict{reports.Skipped}, reports.ExitInconclusive},
		"undefined":        {[]string{"nobody knows it"}, []reports.Verdict{reports.Failed}, reports.ExitNonConformant},
		"panic, then pass": {[]string{"it panics", "it passes"}, []reports.Verdict{reports.Failed, reports.Passed}, reports.ExitNonConformant},
	} {
		t.Run(name, func(t *testing.T) {
			bench := &fakeBench{}
			report, err := aSuite(t, bench, scenarios(c.steps...)).Run(t.Context())
			require.NoError(t, err)
			assert.Equal(t, c.want, verdicts(t, report))
			assert.Equal(t, c.exit, report.ExitCode())
			assert.Equal(t, bench.begun.Load(), bench.closed.Load(), "each session is closed")
		})
	}
}

func TestASkipKeepsItsReasonInReportAndJUnit(t *testing.T) {
	s := aSuite(t, &fakeBench{}, scenarios("it is skipped"))
	_, err := s.Run(t.Context())
	require.NoError(t, err)
	for _, file := range []string{reports.YAMLFile, reports.JUnitFile} {
		content, err := os.ReadFile(filepath.Join(s.Out, "latest", file))
		require.NoError(t, err)
		assert.Contains(t, string(content), "no third mesh", file)
	}
}

func TestNothingToRunIsAUsageErrorThatSaysWhatThereIs(t *testing.T) {
	features := featureFile("Feature: F\n  @acl\n  Scenario: A\n    Given it passes\n  @expose\n  Scenario: B\n    Given it passes\n")
	for name, c := range map[string]struct {
		selection suite.Selection
		want      string
	}{
		"no match":        {suite.Selection{Tags: "@acl and @expose"}, "selects none of the 2 scenarios in all features; tags there are: @acl @expose"},
		"unknown tag":     {suite.Selection{Tags: "not @slwo"}, "no scenario has the tag @slwo; there are @acl @expose"},
		"bad expression":  {suite.Selection{Tags: "@acl &&"}, `character 6: "&&"`},
		"unknown path":    {suite.Selection{Paths: []string{"g.feature"}}, "there are f.feature"},
		"path and tag":    {suite.Selection{Paths: []string{"f.feature:3"}, Tags: "@expose"}, "none of the 1 scenarios in f.feature:3"},
		"not supported":   {suite.Selection{Tags: "@acl"}, "needs a capability the engine does not declare"},
		"line of nothing": {suite.Selection{Paths: []string{"f.feature:1"}}, "start at lines 2, 5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := aSuite(t, &fakeBench{}, features)
			s.Selection = c.selection
			s.Prepare = func(context.Context) (suite.Bench, error) { panic("must not be prepared") }
			_, err := s.Run(t.Context())
			require.ErrorIs(t, err, suite.ErrUsage)
			require.ErrorContains(t, err, c.want)
			left, err := os.ReadDir(s.Out)
			require.NoError(t, err)
			assert.Empty(t, left, "no report of a run that never was")
		})
	}
	_, err := suite.Select(fstest.MapFS{}, suite.Selection{})
	require.ErrorIs(t, err, suite.ErrUsage)
}

func TestAnUndeclaredCapabilityIsNotSupportedAndNotRun(t *testing.T) {
	bench := &fakeBench{}
	features := featureFile("Feature: F\n  @acl\n  Scenario: A\n    Given it fails\n  @expose\n  Scenario: B\n    Given it passes\n")
	report, err := aSuite(t, bench, features).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.NotSupported, reports.Passed}, verdicts(t, report))
	assert.Equal(t, "not declared by the engine: acl", report.Scenarios[0].Reason)
	assert.Equal(t, int32(1), bench.begun.Load())
}

func TestADeclaredCapabilityOutsideTheVocabularyIsRefused(t *testing.T) {
	s := aSuite(t, &fakeBench{}, scenarios("it passes"))
	s.Declared = []string{"acls"}
	_, err := s.Run(t.Context())
	require.ErrorIs(t, err, suite.ErrUsage)
	assert.ErrorContains(t, err, `capability "acls"`)
}

func TestASetUpThatDiesIsReportedAndInconclusive(t *testing.T) {
	s := aSuite(t, nil, scenarios("it passes"))
	s.Prepare = func(context.Context) (suite.Bench, error) { return nil, errors.New("c2: istiod: exit status 1") }
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, reports.ExitInconclusive, report.ExitCode())
	content, err := os.ReadFile(filepath.Join(s.Out, "latest", reports.JUnitFile))
	require.NoError(t, err)
	assert.Contains(t, string(content), "c2: istiod: exit status 1")
}

func TestAFailureInADyingEnvironmentIsInconclusiveAndEndsTheRun(t *testing.T) {
	bench := &fakeBench{health: errors.New("c2: API server does not answer")}
	report, err := aSuite(t, bench, scenarios("it passes", "it fails", "it passes")).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Passed, reports.Inconclusive, reports.Inconclusive}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[1].Reason, "got 200, want 403", "what was seen first is kept")
	assert.Contains(t, report.Scenarios[2].Reason, "not run")
	assert.Equal(t, reports.ExitInconclusive, report.ExitCode())
}

func TestABenchThatIsNotCleanDecidesNothing(t *testing.T) {
	report, err := aSuite(t, &fakeBench{begin: errors.New("something is exposed")}, scenarios("it passes")).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Inconclusive}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "something is exposed")
}

func TestLeftoversFailAScenarioThatPassed(t *testing.T) {
	report, err := aSuite(t, &fakeBench{close: errors.New("left: Gateway x")}, scenarios("it passes", "it fails")).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Failed, reports.Failed}, verdicts(t, report))
	assert.Equal(t, "clean-up: left: Gateway x", report.Scenarios[0].Reason)
	assert.Equal(t, "it fails: got 200, want 403\nclean-up: left: Gateway x", report.Scenarios[1].Reason)
}

func TestEvidenceIsTakenBeforeTheCleanUpAndOnlyOfFailures(t *testing.T) {
	bench := &fakeBench{}
	s := aSuite(t, bench, scenarios("it fails", "it passes"))
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Zero(t, bench.atEvidence.Load(), "the session was still open")
	assert.Equal(t, []string{"evidence/f/s1/why.txt", "evidence/f/s1/requests.txt"}, report.Scenarios[0].EvidencePaths())
	assert.FileExists(t, filepath.Join(s.Out, "run", "evidence", "f", "s1", "why.txt"))
	assert.Equal(t, []string{"evidence/f/s2/requests.txt"}, report.Scenarios[1].EvidencePaths())
}

func TestAnInterruptEndsTheRunWithWhatIsDecided(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	bench := &fakeBench{onStep: cancel}
	report, err := aSuite(t, bench, scenarios("it passes", "it acts", "it passes")).Run(ctx)
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Passed, reports.Inconclusive}, verdicts(t, report))
	assert.Equal(t, reports.ExitInterrupted, report.ExitCode())
	assert.Equal(t, int32(2), bench.closed.Load(), "the interrupted scenario is cleaned up too")
	assert.Equal(t, 3, report.Selection.Scenarios)
}

func TestAScenarioThatTakesTooLongFailsAndTheNextOneRuns(t *testing.T) {
	s := aSuite(t, &fakeBench{}, scenarios("it waits", "it passes"))
	s.Timeout = 10 * time.Millisecond
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Failed, reports.Passed}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "time-out of 10ms")
}

// gaps are scenarios that name the issue by which live connections go on.
func gaps(lines ...string) fstest.MapFS {
	content := "@known-gap=envoy-keeps-what-it-has-verified\n" + string(scenarios(lines...)["f.feature"].Data)
	return featureFile(content)
}

func TestAKnownGapIsNeitherGreenNorRedUntilItCloses(t *testing.T) {
	report, err := aSuite(t, &fakeBench{}, gaps("it fails on liveHTTP1, liveHTTP2", "it passes")).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.KnownGap, reports.Failed}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "envoy-keeps-what-it-has-verified: it fails on liveHTTP1, liveHTTP2: revocation by a list on liveHTTP1")
	assert.Contains(t, report.Scenarios[1].Reason, "envoy-keeps-what-it-has-verified is closed")
}

// A list that nobody heeds was once the same gap as one that live connections
// do not heed.
func TestAKnownGapExcusesOnlyWhatItsIssueExplains(t *testing.T) {
	report, err := aSuite(t, &fakeBench{}, gaps("it fails", "it fails on new, liveHTTP1", "it fails on new")).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Failed, reports.Failed, reports.Failed}, verdicts(t, report))
	assert.Equal(t, "it fails: got 200, want 403", report.Scenarios[0].Reason)
	assert.Equal(t, reports.ExitNonConformant, report.ExitCode())
}

// A gap is one that its issue explains: what is left behind is not part of it.
func TestAKnownGapDoesNotExcuseWhatIsLeftBehind(t *testing.T) {
	report, err := aSuite(t, &fakeBench{close: errors.New("left: Gateway x")}, gaps("it fails on liveHTTP1", "it passes")).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Failed, reports.Failed}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "it fails on liveHTTP1: revocation by")
	assert.Contains(t, report.Scenarios[0].Reason, "\nclean-up: left: Gateway x")
	assert.Equal(t, "clean-up: left: Gateway x", report.Scenarios[1].Reason)
}

func TestOneRowOfAnOutlineIsRunAlone(t *testing.T) {
	bench := &fakeBench{}
	s := aSuite(t, bench, featureFile("Feature: F\n  Scenario Outline: O\n    Given it <how>\n    Examples:\n      | how |\n      | fails |\n      | passes |\n"))
	s.Selection.Paths = []string{"f.feature:7"}
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Passed}, verdicts(t, report))
	assert.Equal(t, "f/o/2", report.Scenarios[0].ID)
}

func TestTheJournalHoldsEachVerdictBeforeTheNextScenarioStarts(t *testing.T) {
	bench := &fakeBench{}
	s := aSuite(t, bench, scenarios("it passes", "it acts"))
	var seen reports.ConformanceReport
	bench.onStep = func() { seen, _ = reports.Rebuild(filepath.Join(s.Out, "run", reports.JournalFile)) }
	_, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Passed}, verdicts(t, seen))
}

func TestProgressIsPlainLinesInALogAndOneLiveLineOnATerminal(t *testing.T) {
	for live, want := range map[bool]string{false: "[1/1] failed       f/s1", true: "\r\x1b[2K[1/1] f/s1  it fails"} {
		var out bytes.Buffer
		s := aSuite(t, &fakeBench{}, scenarios("it fails"))
		s.Progress = suite.NewProgress(&out, live)
		_, err := s.Run(t.Context())
		require.NoError(t, err)
		assert.Contains(t, out.String(), want)
		assert.Contains(t, out.String(), "again: conformance run f.feature:2")
		assert.Equal(t, live, bytes.Contains(out.Bytes(), []byte("\x1b")), "escapes belong on terminals only")
	}
}

func TestASeedShufflesTheScenariosAlwaysInTheSameWay(t *testing.T) {
	order := func(seed int64) (ids []string) {
		s := aSuite(t, &fakeBench{}, scenarios("it passes", "it passes", "it passes", "it passes", "it passes", "it passes"))
		s.Seed = seed
		report, err := s.Run(t.Context())
		require.NoError(t, err)
		for _, one := range report.Scenarios {
			ids = append(ids, one.ID)
		}
		return ids
	}
	assert.Equal(t, []string{"f/s1", "f/s2", "f/s3", "f/s4", "f/s5", "f/s6"}, order(0))
	assert.Equal(t, order(7), order(7))
	assert.NotEqual(t, order(0), order(7))
	assert.ElementsMatch(t, order(0), order(7))
}

func TestTheReportHoldsEachStepAndWhatBecameOfIt(t *testing.T) {
	features := featureFile("Feature: F\n  Scenario: A\n    Given it passes\n    When it fails\n    Then it passes\n")
	report, err := aSuite(t, &fakeBench{}, features).Run(t.Context())
	require.NoError(t, err)
	steps := report.Scenarios[0].Steps
	require.Len(t, steps, 3)
	for i, want := range []reports.StepStatus{reports.StepPassed, reports.StepFailed, reports.StepNotRun} {
		assert.Equal(t, want, steps[i].Status)
	}
	assert.Equal(t, "When", steps[1].Keyword)
	assert.Equal(t, "got 200, want 403", steps[1].Error)
}

func TestFiguresReachTheReportAndCanTakeAPassAway(t *testing.T) {
	late := reports.Revocation("cancel", reports.NewConnection, 400, []float64{401})
	early := reports.Revocation("cancel", reports.NewConnection, 400, []float64{399})
	for want, figure := range map[reports.Verdict]reports.RevocationFigure{reports.Failed: late, reports.Passed: early} {
		bench := &fakeBench{}
		require.NoError(t, bench.figures.Add(figure))
		report, err := aSuite(t, bench, scenarios("it passes")).Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []reports.Verdict{want}, verdicts(t, report))
		assert.Equal(t, []reports.RevocationFigure{figure}, report.Scenarios[0].Figures.Revocations)
	}
}
