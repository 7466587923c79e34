package suite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
)

// hangingEvidence is a place where somebody does not answer who is asked for
// evidence.
type hangingEvidence struct {
	fakeBench
	// left is what the clean-up had of its time.
	left time.Duration
}

func (b *hangingEvidence) Begin(context.Context, string) (suite.Session, error) {
	return hangingSession{fakeSession{&b.fakeBench}, b}, nil
}

type hangingSession struct {
	fakeSession
	hanging *hangingEvidence
}

func (hangingSession) Evidence(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s hangingSession) Close(ctx context.Context) error {
	end, _ := ctx.Deadline()
	s.hanging.left = time.Until(end)
	return ctx.Err()
}

// What was not cleaned up once made every later scenario inconclusive.
func TestEvidenceThatHangsLeavesTimeToCleanUp(t *testing.T) {
	all, err := suite.Select(scenarios("it fails"), suite.Selection{})
	require.NoError(t, err)
	dir, b := t.TempDir(), &hangingEvidence{}
	j := suite.Judge{Bench: b, CleanupTimeout: time.Second, EvidenceDir: func(string) string { return dir }}
	entry, err := j.Scenario(t.Context(), all[0])
	require.NoError(t, err)
	assert.Equal(t, reports.Failed, entry.Verdict)
	assert.NotContains(t, entry.Reason, "clean-up")
	assert.Contains(t, entry.Reason, "evidence is not complete")
	assert.Greater(t, b.left, 300*time.Millisecond)
}

func TestAScenarioOfLoadHasTwiceAsLong(t *testing.T) {
	all, err := suite.Select(featureFile(`
Feature: F
  Scenario: S1
    Given it waits
  @load
  Scenario: S2
    Given it waits
`), suite.Selection{})
	require.NoError(t, err)
	j := suite.Judge{Bench: &fakeBench{}, Timeout: 50 * time.Millisecond}
	for i, want := range []string{"time-out of 50ms", "time-out of 100ms"} {
		entry, err := j.Scenario(t.Context(), all[i])
		require.NoError(t, err)
		assert.Contains(t, entry.Reason, want)
	}
}
