package alarms_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite/alarms"
)

func order(seed int64, verdicts ...reports.Verdict) alarms.Order {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var scenarios []reports.Scenario
	for i, v := range verdicts {
		s := reports.Scenario{ID: string(rune('a' + i)), Verdict: v}
		if v != reports.Passed {
			s.Reason = "got 200 | want 403\nindeed"
		}
		scenarios = append(scenarios, s)
	}
	r := reports.Assemble(reports.Run{ID: "run", SuiteVersion: "v1.2.3", Seed: seed, Started: start}, scenarios, reports.End{Finished: start.Add(time.Minute)})
	o := alarms.Of(r, seed%2 == 0)
	o.CoresBusy = 0.9 + float64(seed)/100
	return o
}

func TestVerdictsThatDifferAreAlarms(t *testing.T) {
	const p, f, gap = reports.Passed, reports.Failed, reports.KnownGap
	for name, c := range map[string]struct {
		orders []alarms.Order
		want   []string
	}{
		"all alike":                      {[]alarms.Order{order(1, p, gap), order(2, p, gap)}, nil},
		"alike, and red, is no alarm":    {[]alarms.Order{order(1, f), order(2, f)}, nil},
		"once red":                       {[]alarms.Order{order(1, p, p), order(2, p, f), order(3, p, p)}, []string{"b"}},
		"once not played":                {[]alarms.Order{order(1, p, p), order(2, p)}, []string{"b"}},
		"a gap that was closed one time": {[]alarms.Order{order(1, gap), order(2, f)}, []string{"a"}},
		"one order":                      {[]alarms.Order{order(1, p)}, nil},
		"none":                           {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range alarms.Alarms(c.orders) {
				got = append(got, a.Scenario)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestTheTableTellsOrdersAndAlarms(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, alarms.WriteMarkdown(&b, []alarms.Order{order(7, reports.Passed), order(8, reports.Failed)}))
	assert.Contains(t, b.String(), "2 orders, 1 of them beside something that kept all cores busy, 2 with the cores busy for 95 % of the time or more, 2 verdicts: 1 scenarios did not")
	assert.Contains(t, b.String(), "All of conformance v1.2.3.")
	assert.Contains(t, b.String(), "| 7 | false | 97.0 % | 60 s | 1 | 0 |")
	assert.Contains(t, b.String(), `| a | 1 failed, 1 passed | got 200 \| want 403 indeed |`)
}

func TestOrdersOfAnotherVersionAreNotComparedWithThese(t *testing.T) {
	require.NoError(t, alarms.OfOneSuite([]alarms.Order{order(1, reports.Passed), order(2, reports.Failed)}, "v1.2.3"))
	require.NoError(t, alarms.OfOneSuite(nil, "v1.2.3"))
	other := order(2, reports.Passed)
	other.Suite = "v1.2.2"
	require.ErrorContains(t, alarms.OfOneSuite([]alarms.Order{order(1, reports.Passed), other}, "v1.2.3"), `order 2 is of conformance "v1.2.2" and this is v1.2.3`)
	require.Error(t, alarms.OfOneSuite([]alarms.Order{order(1, reports.Passed)}, "v1.2.2"))
}
