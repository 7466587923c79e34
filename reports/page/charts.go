package page

import (
	"math"

	"github.com/meshfed/meshfed/reports"
)

// chartWidth is how wide the drawing area of every chart is, in its own units.
const chartWidth = 500

// draw makes the charts of one scenario's figures.
func (v *view) draw(s reports.Scenario) {
	for _, f := range s.Figures.Splits {
		v.Splits = append(v.Splits, newSplitChart(s.ID, f))
	}
	for _, t := range s.Figures.TruthTables {
		leaks, wrong := t.Count()
		v.Tables = append(v.Tables, table{Scenario: s.ID, TruthTable: t, Leaks: leaks, Wrong: wrong})
	}
	for _, f := range s.Figures.Revocations {
		v.Revoked = append(v.Revoked, newRevocationChart(s.ID, f))
	}
	for _, f := range s.Figures.Loads {
		v.Loads = append(v.Loads, newLoadChart(s.ID, f))
	}
	v.Shifts = append(v.Shifts, each(s.ID, s.Figures.Shifts)...)
	v.Hops = append(v.Hops, each(s.ID, s.Figures.Hops)...)
	v.Costs = append(v.Costs, each(s.ID, s.Figures.Costs)...)
	v.Knees = append(v.Knees, each(s.ID, s.Figures.Knees)...)
}

type table struct {
	Scenario string
	reports.TruthTable
	Leaks, Wrong int
}

type splitChart struct {
	Scenario string
	reports.SplitFigure
	Bars []bar
}

// bar is one share: the interval, what was seen, what was wanted, as x.
type bar struct {
	reports.Share
	Observed                      float64
	XLow, XWide, XSeen, XExpected float64
	Holds                         bool
}

func newSplitChart(id string, f reports.SplitFigure) splitChart {
	chart := splitChart{Scenario: id, SplitFigure: f}
	for _, s := range f.Shares {
		seen := s.Observed(f.N)
		chart.Bars = append(chart.Bars, bar{
			Share: s, Observed: seen, XLow: chartWidth * s.Low, XWide: math.Max(1, chartWidth*(s.High-s.Low)),
			XSeen: chartWidth * seen, XExpected: chartWidth * s.Expected, Holds: s.Low <= s.Expected && s.Expected <= s.High,
		})
	}
	return chart
}

type revocationChart struct {
	Scenario string
	reports.RevocationFigure
	Dots   []float64
	XBound float64
	// End is the right edge of the time line, in milliseconds.
	End   float64
	Holds bool
}

func newRevocationChart(id string, f reports.RevocationFigure) revocationChart {
	end := math.Max(f.MaxMillis, f.BoundMillis) * 1.05
	chart := revocationChart{Scenario: id, RevocationFigure: f, End: end, XBound: chartWidth * f.BoundMillis / end, Holds: f.Holds() == nil}
	for _, s := range f.SamplesMillis {
		chart.Dots = append(chart.Dots, chartWidth*s/end)
	}
	return chart
}
