package reports_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

func shift(change func(*reports.LatencyShift)) reports.LatencyShift {
	f := reports.LatencyShift{What: "a", Base: "b", Q: 0.99, BaseMillis: 2, WhatMillis: 5, LowMillis: 2.5, HighMillis: 3.5, Confidence: 0.99, BoundMillis: 4}
	change(&f)
	return f
}

func TestALatencyShiftHoldsOnlyIfItsWholeIntervalIsWithinTheLimits(t *testing.T) {
	require.NoError(t, shift(func(*reports.LatencyShift) {}).Holds())
	for name, c := range map[string]struct {
		bound, floor float64
		wants        string
		inconclusive bool
	}{
		"wholly above":        {bound: 2, wants: "latency of a over b at p99: 3.00 ms more (2.50 to 3.50 ms at 99 % confidence; 5.00 against 2.00 ms), at most 2.00 ms are allowed"},
		"wholly below":        {bound: 9, floor: 4, wants: "at least 4.00 ms are wanted"},
		"the bound within it": {bound: 3, wants: "that it is at most 3.00 ms is not shown", inconclusive: true},
		"the floor within it": {bound: 9, floor: 3, wants: "that it is at least 3.00 ms is not shown", inconclusive: true},
	} {
		err := shift(func(f *reports.LatencyShift) { f.BoundMillis, f.FloorMillis = c.bound, c.floor }).Holds()
		require.ErrorContains(t, err, c.wants, name)
		assert.Equal(t, c.inconclusive, errors.Is(err, reports.ErrInconclusive), name)
	}
}

func TestAnImpossibleLatencyShiftIsRefused(t *testing.T) {
	for name, change := range map[string]func(*reports.LatencyShift){
		"no number":    func(f *reports.LatencyShift) { f.HighMillis = math.NaN() },
		"endless":      func(f *reports.LatencyShift) { f.HighMillis = math.Inf(1) },
		"quantile 1":   func(f *reports.LatencyShift) { f.Q = 1 },
		"certainty":    func(f *reports.LatencyShift) { f.Confidence = 1 },
		"no time":      func(f *reports.LatencyShift) { f.BaseMillis = 0 },
		"upside down":  func(f *reports.LatencyShift) { f.LowMillis = 9 },
		"bound no one": func(f *reports.LatencyShift) { f.BoundMillis = math.NaN() },
	} {
		var all reports.Figures
		assert.ErrorIs(t, all.Add(shift(change)), reports.ErrInconclusive, name)
	}
	var all reports.Figures
	require.NoError(t, all.Add(shift(func(*reports.LatencyShift) {})))
	assert.Len(t, all.Lines(), 1)
	assert.NoError(t, all.Holds())
}
