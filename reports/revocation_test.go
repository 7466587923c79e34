package reports

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheTrialsOfManyRunsArePooledAndKnownGapsKeptApart(t *testing.T) {
	run := func(verdict Verdict, samples ...float64) ConformanceReport {
		s := Scenario{Verdict: verdict}
		s.Figures.Revocations = []RevocationFigure{Revocation("cancel", NewConnection, 400, samples)}
		return ConformanceReport{Scenarios: []Scenario{s}}
	}
	judged, gaps := PoolRevocations([]ConformanceReport{run(Passed, 90, 100), run(KnownGap, 9999), run(Failed, 401)})
	require.Len(t, judged, 1)
	assert.Equal(t, 3, judged[0].N)
	assert.InDelta(t, 100, judged[0].P50Millis, 0)
	require.ErrorContains(t, judged[0].Holds(), "401 ms")
	require.Len(t, gaps, 1)
	assert.Equal(t, 1, gaps[0].N)

	judged, gaps = PoolRevocations([]ConformanceReport{{Scenarios: []Scenario{{Verdict: Passed}}}})
	assert.Empty(t, judged)
	assert.Empty(t, gaps)
}
