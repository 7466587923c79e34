package reports_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

func aSplit(counts ...int) reports.SplitFigure {
	f := reports.SplitFigure{What: "reviews of c1", Confidence: 0.999, DetectableShift: 0.05, Power: 0.99}
	for i, count := range counts {
		f.N += count
		f.Shares = append(f.Shares, reports.Share{Backend: []string{"v1", "v2"}[i], Expected: 0.5, Count: count})
	}
	for i := range f.Shares {
		observed := f.Shares[i].Observed(f.N)
		f.Shares[i].Low, f.Shares[i].High = observed-0.05, observed+0.05
	}
	return f
}

func aTable(cells ...reports.Cell) reports.TruthTable {
	return reports.TruthTable{Name: "ingress of c2", Cells: cells}
}

func cell(expected, got reports.Access, arrivals int) reports.Cell {
	return reports.Cell{
		Client: "c1", SNI: "c2.example", Host: "bookinfo.c2", Path: "/x", Method: "GET",
		Expected: expected, Got: got, Arrivals: arrivals,
	}
}

func aLoad(lag float64, fault string) reports.LoadFigure {
	return reports.LoadFigure{
		What: "c1 to c2", RatePerSecond: 100, DurationSeconds: 10, LagP99Millis: lag, LagLimitMillis: 1, Fault: fault,
		Classes: []reports.LoadClass{{
			Identity: "c1", Outcome: "allowed", Count: 1000,
			Quantiles: []reports.LatencyQuantile{{Q: 0.5, Millis: 2}, {Q: 0.99, Millis: 5}},
		}},
	}
}

// aShift is a planted delay of 5 ms with an interval around it.
func aShift(low, high float64) reports.LatencyShift {
	return reports.LatencyShift{
		What: "slow", Base: "fast", Q: 0.5, BaseMillis: 2, WhatMillis: 7, LowMillis: low, HighMillis: high, Confidence: 0.999,
		FloorMillis: 4.5, BoundMillis: 5.5,
	}
}

func someHops() reports.HopFigure {
	return reports.HopFigure{What: "slow", RatePerSecond: 100, Requests: 10, Hops: []reports.Hop{
		{Proxy: "egress gateway of c1", Count: 9, ResolutionMillis: 0.001, Quantiles: []reports.LatencyQuantile{{Q: 0.5, Millis: 0.2}}},
	}}
}

func aCost() reports.CostFigure {
	return reports.CostFigure{What: "accepted", Proxy: "ingress gateway of c2", Outcome: "allowed", Requests: 600, NewConnections: true, CPUSeconds: 0.5}
}

// aKnee has rates at each of which the latency doubles.
func aKnee(rates ...float64) reports.KneeFigure {
	var steps []reports.KneeStep
	millis := 1.0
	for _, rate := range rates {
		steps = append(steps, reports.KneeStep{
			RatePerSecond: rate, Sent: 100, Served: 100, P50Millis: millis, P90Millis: millis, P99Millis: millis, LagLimitMillis: 5,
		})
		millis *= 2
	}
	return reports.Knee("through the gateways", 3, steps)
}

// atLast changes the last step of a knee.
func atLast(f reports.KneeFigure, change func(*reports.KneeStep)) reports.KneeFigure {
	change(&f.Steps[len(f.Steps)-1])
	return reports.Knee(f.What, f.LateFactor, f.Steps)
}

func TestTheKneeIsTheLastRateThatIsCarried(t *testing.T) {
	for name, c := range map[string]struct {
		figure reports.KneeFigure
		knee   float64
		end    reports.KneeEnd
	}{
		"p90 grows":              {aKnee(50, 100, 200), 100, reports.KneeLate},
		"nothing stops it":       {aKnee(50, 100), 100, reports.KneeCeiling},
		"some are not served":    {atLast(aKnee(50, 100), func(s *reports.KneeStep) { s.Served-- }), 50, reports.KneeUnserved},
		"the generator is late":  {atLast(aKnee(50, 100), func(s *reports.KneeStep) { s.LagP99Millis = 6 }), 50, reports.KneeGenerator},
		"not even the first one": {atLast(aKnee(50), func(s *reports.KneeStep) { s.Served = 0 }), 0, reports.KneeUnserved},
	} {
		assert.InDelta(t, c.knee, c.figure.KneePerSecond, 0, name)
		assert.Equal(t, c.end, c.figure.End, name)
	}
	forged := aKnee(50, 100, 200)
	forged.KneePerSecond = 200
	var all reports.Figures
	require.ErrorContains(t, all.Add(forged), "it says 200/s (late), and its steps say 100/s")
	require.NoError(t, all.Add(aKnee(50, 100, 200)))
	assert.Equal(t, []string{"knee of through the gateways: 100 requests a second are carried; at 200/s p90 is 4.00 ms, more than 3 times the 1.00 ms at 50/s"}, all.Lines())
}

func TestAFigureIsJudgedFromItsOwnNumbers(t *testing.T) {
	stopped := aLoad(0.1, "")
	stopped.Interrupted = true
	told := aShift(-1, 99)
	told.BoundMillis, told.FloorMillis = 0, 0
	for name, c := range map[string]struct {
		figure reports.Figure
		want   string
	}{
		"a delay that is found":          {aShift(4.6, 5.4), ""},
		"a delay that may be more":       {aShift(4.6, 5.6), "that it is at most 5.50 ms is not shown"},
		"a delay that may be less":       {aShift(4.4, 5.4), "that it is at least 4.50 ms is not shown"},
		"a difference that is only told": {told, ""},
		"load that was stopped":          {stopped, "was stopped"},
		"no rate that is carried":        {atLast(aKnee(50), func(s *reports.KneeStep) { s.Served = 0 }), "at 50/s 0 of 100 are served"},
		"a generator that was late":      {atLast(aKnee(50), func(s *reports.KneeStep) { s.LagP99Millis = 6 }), "the generator was late at the lowest rate"},
		"hops":                           {someHops(), ""},
		"a cost":                         {aCost(), ""},
		"a right split":                  {aSplit(490, 510), ""},
		"a shifted split":                {aSplit(600, 400), "v1 got 600 of 1000"},
		"a table without faults":         {aTable(cell(reports.Granted, reports.Granted, 1), cell(reports.Refused, reports.Refused, 0)), ""},
		"a leak":                         {aTable(cell(reports.Refused, reports.Granted, 1)), "1 of 1 cells are wrong, 1 of them leaks"},
		"a refusal that arrived":         {aTable(cell(reports.Refused, reports.Refused, 1)), "1 of them leaks"},
		"a grant that was refused":       {aTable(cell(reports.Granted, reports.Refused, 0)), "0 of them leaks"},
		"in time":                        {reports.Revocation("cancel", reports.NewConnection, 400, []float64{0, 250, 400}), ""},
		"too late once":                  {reports.Revocation("cancel", reports.LiveHTTP2, 400, []float64{1, 2, 401}), "401 ms after it, at most 400 ms"},
		"accepted soon":                  {accepted(400, 2000), ""},
		"accepted too late":              {accepted(400, 2001), "it was over 2401 ms after the engine was asked, which took 2001 ms of them"},
		"load within thresholds":         {aLoad(0.1, ""), ""},
		"load beyond a threshold":        {aLoad(0.1, "p99 is 5 ms, want 3 ms"), "p99 is 5 ms"},
		"a generator that lagged":        {aLoad(1.1, "p99 is 5 ms, want 3 ms"), "INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			var all reports.Figures
			require.NoError(t, all.Add(c.figure))
			if c.want == "" {
				assert.NoError(t, all.Holds())
				return
			}
			assert.ErrorContains(t, all.Holds(), c.want)
		})
	}
}

// accepted is a revocation of one trial, and how long the engine took for it.
func accepted(sample float64, took ...float64) reports.RevocationFigure {
	f := reports.Revocation("cancel", reports.NewConnection, 400, []float64{sample})
	f.AcknowledgedMillis = took
	return f
}

func TestLeaksComeFirstInATruthTable(t *testing.T) {
	var all reports.Figures
	right, wrong, leak := cell(reports.Refused, reports.Refused, 0), cell(reports.Granted, reports.Refused, 0), cell(reports.Refused, reports.Granted, 1)
	require.NoError(t, all.Add(aTable(right, wrong, leak)))
	assert.Equal(t, []reports.Cell{leak, wrong, right}, all.TruthTables[0].Cells)
}

func TestNumbersThatAreNotPossibleAreTheHarnesssFault(t *testing.T) {
	counts := aSplit(490, 510)
	counts.N = 1001
	outside := aSplit(490, 510)
	outside.Shares[0].Low = 0.495
	quantile := reports.Revocation("cancel", reports.NewConnection, 400, []float64{1, 900})
	quantile.MaxMillis = 10
	falling := aLoad(0.1, "")
	falling.Classes[0].Quantiles[1].Millis = 1
	tooMany, free, nowhere, backwards := someHops(), aCost(), someHops(), aShift(4.6, 5.4)
	tooMany.Hops[0].Count, free.CPUSeconds, nowhere.Hops, backwards.FloorMillis = 11, 0, nil, 6
	for name, figure := range map[string]reports.Figure{
		"a log of more than was sent":       tooMany,
		"requests that cost nothing":        free,
		"a way without hops":                nowhere,
		"a floor above the bound":           backwards,
		"rates that fall":                   aKnee(100, 50),
		"a knee of nothing":                 reports.KneeFigure{LateFactor: 3},
		"counts that do not add up":         counts,
		"an interval without its estimate":  outside,
		"a split of nothing":                reports.SplitFigure{Confidence: 0.9},
		"a table without cells":             aTable(),
		"a cell outside the vocabulary":     aTable(cell(reports.Refused, "timeout", 0)),
		"no samples":                        reports.Revocation("cancel", reports.NewConnection, 400, nil),
		"no bound":                          reports.Revocation("cancel", reports.NewConnection, 0, []float64{1}),
		"a maximum that hides a sample":     quantile,
		"an unknown kind of connection":     reports.Revocation("cancel", "some", 400, []float64{1}),
		"a time below zero":                 reports.Revocation("cancel", reports.NewConnection, 400, []float64{-1}),
		"trials without their times":        accepted(1, 2, 3),
		"accepted before it was asked":      accepted(1, -1),
		"a latency curve that falls":        falling,
		"load without outcomes":             reports.LoadFigure{LagLimitMillis: 1},
		"load without a limit on its delay": reports.LoadFigure{Classes: aLoad(0, "").Classes},
	} {
		var all reports.Figures
		require.ErrorIs(t, all.Add(figure), reports.ErrInconclusive, name)
		assert.True(t, all.IsZero(), name)
	}
}

func TestQuantilesAreNearestRank(t *testing.T) {
	samples := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.2: 1, 0.5: 3, 0.99: 5, 1: 5} {
		assert.InDelta(t, want, reports.Quantile(samples, q), 0, "%v", q)
	}
	assert.Zero(t, reports.Quantile(nil, 0.5))
}
