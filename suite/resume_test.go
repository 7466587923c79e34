package suite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
)

// A kill is a journal that ends anywhere. Wherever that is, the run goes on to
// the verdicts it would have had, and plays nothing twice that was decided.
func TestAKilledRunGoesOnFromWhereverItsJournalEnds(t *testing.T) {
	features := scenarios("it passes", "it fails", "it is skipped", "it passes")
	first := aSuite(t, &fakeBench{}, features)
	want, err := first.Run(t.Context())
	require.NoError(t, err)
	path := filepath.Join(first.Out, "run", reports.JournalFile)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	start, end := bytes.IndexByte(whole, '\n')+1, bytes.LastIndex(whole, []byte(`{"end"`))
	for size := start; size <= end; size += 7 {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o644))
		bench := &fakeBench{}
		again := aSuite(t, bench, features)
		again.Out, again.Resume = first.Out, true
		// A command line without paths is an empty list, a journal has none.
		again.Selection.Paths = []string{}
		got, err := again.Run(t.Context())
		require.NoError(t, err, "torn at byte %d", size)
		assert.Equal(t, verdicts(t, want), verdicts(t, got), "torn at byte %d", size)
		decided := bytes.Count(whole[:size], []byte("\n")) - 1
		assert.Equal(t, int32(4-decided), bench.begun.Load(), "torn at byte %d", size)
		assert.Len(t, got.Resumed, 1)
	}
}

func TestOnlyTheSameRunGoesOn(t *testing.T) {
	features := scenarios("it passes")
	for name, c := range map[string]struct {
		change func(*suite.Suite)
		want   string
	}{
		"other features":       {func(s *suite.Suite) { s.Features = scenarios("it passes", "it passes") }, "features: "},
		"other seed":           {func(s *suite.Suite) { s.Seed = 7 }, "seed: 7, was 0"},
		"other implementation": {func(s *suite.Suite) { s.Implementation.Name = "mine" }, "implementation: "},
		"other suite":          {func(s *suite.Suite) { s.Version = "v2" }, `suite version: "v2"`},
		"no such run":          {func(s *suite.Suite) { s.ID = "none" }, "no run none"},
		"it has ended":         {func(*suite.Suite) {}, "has come to its end"},
	} {
		t.Run(name, func(t *testing.T) {
			s := aSuite(t, &fakeBench{}, features)
			_, err := s.Run(t.Context())
			require.NoError(t, err)
			s.Resume = true
			c.change(&s)
			_, err = s.Run(t.Context())
			require.ErrorIs(t, err, suite.ErrUsage)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestScenariosArePlayedForAsLongAsIsWantedAndOnceAtLeast(t *testing.T) {
	bench := &fakeBench{}
	s := aSuite(t, bench, scenarios("it passes", "it fails"))
	s.For = 200 * time.Millisecond
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Passed, reports.Failed}, verdicts(t, report))
	assert.Greater(t, len(report.Scenarios[0].Attempts), 1)
	s = aSuite(t, bench, scenarios("it passes", "it fails"))
	s.For = time.Nanosecond
	report, err = s.Run(t.Context())
	require.NoError(t, err)
	assert.Len(t, report.Scenarios[0].Attempts, 1)
}

func TestARepeatedScenarioThatPassesNowAndThenIsFlakyAndNotGreen(t *testing.T) {
	bench := &fakeBench{}
	s := aSuite(t, bench, scenarios("it passes every second time", "it passes", "it fails"))
	s.Repeat = 4
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Flaky, reports.Passed, reports.Failed}, verdicts(t, report))
	assert.Equal(t, int32(12), bench.begun.Load())
	flaky := report.Scenarios[0]
	assert.Len(t, flaky.Attempts, 4)
	assert.Contains(t, flaky.Reason, "2 of 4 attempts passed (95 % interval of the true rate 15 % to 85 %)")
	assert.Contains(t, flaky.Reason, "not this time", "the attempt that did not pass speaks")
	assert.Contains(t, flaky.EvidencePaths(), "evidence/f/s1/why.txt")
	assert.Equal(t, reports.ExitNonConformant, report.ExitCode())
}

func TestTheReasonOfAFailureIsNotThatOfAnAttemptWhichDecidedNothing(t *testing.T) {
	s := aSuite(t, &fakeBench{}, scenarios("it decides nothing at first, and fails then"))
	s.Repeat = 3
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Failed}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "0 of 2 attempts passed")
	assert.Contains(t, report.Scenarios[0].Reason, "got 200, want 403")
	assert.NotContains(t, report.Scenarios[0].Reason, "no answer")
}

// A signal while an attempt is cleaned up leaves as many passes as there were:
// that is not as many as were wanted, and the run that goes on has to make them.
func TestFewerAttemptsThanWereWantedDecideNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	bench := &fakeBench{onClose: func(n int32) {
		if n == 2 {
			cancel()
		}
	}}
	s := aSuite(t, bench, scenarios("it passes"))
	s.Repeat = 5
	report, err := s.Run(ctx)
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Inconclusive}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "interrupted before attempt 3 of 5")
	assert.Contains(t, report.Scenarios[0].Reason, "2 of 2 attempts passed", "one that was not made is in no rate")
	bench.onClose, s.Resume = nil, true
	report, err = s.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Passed}, verdicts(t, report))
	assert.Len(t, report.Scenarios[0].Attempts, 5)
}

func TestAFailureStandsThoughTheOtherAttemptsWereNotMade(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := aSuite(t, &fakeBench{onClose: func(int32) { cancel() }}, scenarios("it fails"))
	s.Repeat = 5
	report, err := s.Run(ctx)
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Failed}, verdicts(t, report))
	assert.Contains(t, report.Scenarios[0].Reason, "got 200, want 403")
}
