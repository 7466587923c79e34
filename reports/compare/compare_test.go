package compare_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/compare"
)

// requests is how many a simulated load run sends: 60 s at 500 a second. A
// rise of the p99 by a tenth takes about that many to be found.
const requests = 30_000

// run simulates a load run whose latencies are log-normal (median 2 ms, p99
// 4.5 ms, the shape of an Envoy's) and, in one of a hundred, from a slow mode;
// recorded as the generator does, with three significant digits.
func run(random *rand.Rand, slower float64) reports.ConformanceReport {
	counts := map[float64]int64{}
	for range requests {
		millis := 2 * math.Exp(0.35*random.NormFloat64())
		if random.IntN(200) == 0 {
			millis *= 3
		}
		millis *= slower
		unit := math.Pow(10, math.Floor(math.Log10(millis))-2)
		counts[math.Round(millis/unit)*unit]++
	}
	class := reports.LoadClass{Identity: "c1", Outcome: "allowed", Count: requests}
	for millis, count := range counts {
		class.Histogram = append(class.Histogram, reports.LatencyBucket{Millis: millis, Count: count})
	}
	return withFigures(reports.Figures{Loads: []reports.LoadFigure{{
		What: "c1 to c2", RatePerSecond: 100, LagLimitMillis: 1, Classes: []reports.LoadClass{class},
	}}})
}

func withFigures(f reports.Figures) reports.ConformanceReport {
	return reports.Assemble(reports.Run{}, []reports.Scenario{{ID: "load/a", Verdict: reports.Passed, Figures: f}}, reports.End{})
}

func TestTheSameThingTwiceAlarmsAtMostOnceInAHundred(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const trials = 500
	alarms := 0
	for range trials {
		for _, f := range compare.Reports(run(random, 1), run(random, 1)).Figures {
			if f.Word != compare.Unchanged {
				alarms++
				break
			}
		}
	}
	t.Logf("%d of %d A/A comparisons alarmed", alarms, trials)
	assert.LessOrEqual(t, alarms, trials/100)
}

func TestTenPercentMoreAtTheTailAreFoundNineteenTimesInTwenty(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const trials = 100
	found := 0
	for range trials {
		for _, f := range compare.Reports(run(random, 1), run(random, 1.1)).Figures {
			if f.Name == "load/a: c1 to c2 at 100/s, c1 allowed p99" && f.Word == compare.Regression {
				found++
			}
		}
	}
	t.Logf("+10 %% at p99 found in %d of %d comparisons", found, trials)
	assert.GreaterOrEqual(t, found, trials*95/100)
}

func TestChangesOfVerdictsAreToldAndTheWorseOnesCount(t *testing.T) {
	report := func(verdicts map[string]reports.Verdict) reports.ConformanceReport {
		var all []reports.Scenario
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			if v, is := verdicts[id]; is {
				all = append(all, reports.Scenario{ID: id, Verdict: v})
			}
		}
		return reports.Assemble(reports.Run{}, all, reports.End{})
	}
	before := report(map[string]reports.Verdict{
		"a": reports.Passed, "b": reports.Passed, "c": reports.Failed, "d": reports.Passed, "e": reports.Skipped, "f": reports.Passed,
	})
	now := report(map[string]reports.Verdict{
		"a": reports.Passed, "b": reports.Failed, "c": reports.Passed, "d": reports.NotSupported, "e": reports.Inconclusive, "g": reports.Failed,
	})
	result := compare.Reports(before, now)
	assert.Equal(t, []compare.VerdictChange{
		{ID: "b", Old: reports.Passed, New: reports.Failed, Word: compare.Regression},
		{ID: "c", Old: reports.Failed, New: reports.Passed, Word: compare.Improvement},
		{ID: "d", Old: reports.Passed, New: reports.NotSupported, Word: compare.Regression},
		{ID: "e", Old: reports.Skipped, New: reports.Inconclusive, Word: compare.Unchanged},
		{ID: "g", New: reports.Failed, Word: compare.Added},
		{ID: "f", Old: reports.Passed, Word: compare.Removed},
	}, result.Verdicts)
	assert.Equal(t, 3, result.Regressions(), "b, d, and f, whose claim nobody checks any more")
	var out bytes.Buffer
	require.NoError(t, result.Write(&out))
	assert.Contains(t, out.String(), "3 regressions, 6 changes of verdicts")
}

func TestTooFewSamplesSayNothing(t *testing.T) {
	few := withFigures(reports.Figures{Revocations: []reports.RevocationFigure{
		reports.Revocation("cancel", reports.NewConnection, 400, []float64{1, 2, 3}),
	}})
	result := compare.Reports(few, few)
	require.Len(t, result.Figures, 2)
	for _, f := range result.Figures {
		assert.Equal(t, compare.Undecided, f.Word)
	}
	empty := withFigures(reports.Figures{Revocations: []reports.RevocationFigure{{Way: "cancel", Connection: reports.NewConnection}}})
	assert.Equal(t, compare.Undecided, compare.Reports(empty, few).Figures[0].Word)
}

func TestRevocationsAreComparedByTheirSamples(t *testing.T) {
	revocations := func(millis float64) reports.ConformanceReport {
		var samples []float64
		for i := range 200 {
			samples = append(samples, millis+float64(i%20))
		}
		return withFigures(reports.Figures{Revocations: []reports.RevocationFigure{
			reports.Revocation("cancel", reports.NewConnection, 400, samples),
		}})
	}
	result := compare.Reports(revocations(100), revocations(140))
	assert.Equal(t, compare.Regression, result.Figures[0].Word)
	assert.Equal(t, compare.Improvement, compare.Reports(revocations(140), revocations(100)).Figures[0].Word)
}

func TestAnInvalidLoadRunIsNotCompared(t *testing.T) {
	invalid := withFigures(reports.Figures{Loads: []reports.LoadFigure{{
		What: "x", LagP99Millis: 2, LagLimitMillis: 1, Classes: []reports.LoadClass{{Histogram: []reports.LatencyBucket{{Millis: 1, Count: 1000}}}},
	}}})
	assert.Empty(t, compare.Reports(invalid, invalid).Figures)
}

func TestAnotherMachineIsNoted(t *testing.T) {
	slow := reports.Assemble(reports.Run{Environment: reports.Environment{CPUs: 2}}, nil, reports.End{})
	fast := reports.Assemble(reports.Run{Environment: reports.Environment{CPUs: 16}}, nil, reports.End{})
	assert.Contains(t, compare.Reports(slow, fast).Notes[0], "the machines differ: 2 cores")
}

// What one run lacks cannot have changed, and is not unchanged either.
func TestWhatOnlyOneRunHasIsNoted(t *testing.T) {
	both := withFigures(reports.Figures{Revocations: []reports.RevocationFigure{
		reports.Revocation("cancel", reports.NewConnection, 400, []float64{1}), reports.Revocation("removal", reports.NewConnection, 400, []float64{1}),
	}})
	one := withFigures(reports.Figures{Revocations: []reports.RevocationFigure{reports.Revocation("cancel", reports.NewConnection, 400, []float64{1})}})
	assert.Contains(t, compare.Reports(both, one).Notes, "not compared, since only the old run has it: load/a: revocation by removal, new")
	assert.Contains(t, compare.Reports(one, both).Notes, "not compared, since only the new run has it: load/a: revocation by removal, new")
	assert.NotContains(t, strings.Join(compare.Reports(both, both).Notes, "\n"), "not compared")
}

func TestARunThatIsNotCompleteIsNoted(t *testing.T) {
	cut := reports.Assemble(reports.Run{Selection: reports.Selection{Scenarios: 3}}, nil, reports.End{Finished: time.Now(), Interrupted: true})
	whole := reports.Assemble(reports.Run{}, nil, reports.End{Finished: time.Now()})
	assert.Equal(t, []string{"the old run is not complete: interrupted; 0 of 3 scenarios have a verdict"}, compare.Reports(cut, whole).Notes)
	assert.Equal(t, []string{"the new run is not complete: interrupted; 0 of 3 scenarios have a verdict"}, compare.Reports(whole, cut).Notes)
}
