package page

import (
	"fmt"
	"math"
	"strings"

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

type loadChart struct {
	Scenario string
	reports.LoadFigure
	Top    float64
	Curves []curve
}

// curve is a latency curve: x by the number of nines, since what matters
// happens there; y by latency.
type curve struct {
	reports.LoadClass
	Hue    int
	Points string
}

const chartHeight = 160

func newLoadChart(id string, f reports.LoadFigure) loadChart {
	chart := loadChart{Scenario: id, LoadFigure: f}
	for _, c := range f.Classes {
		for _, q := range c.Quantiles {
			chart.Top = math.Max(chart.Top, q.Millis)
		}
	}
	for i, c := range f.Classes {
		var points []string
		for _, q := range c.Quantiles {
			// p50 is 0.3 nines, p99.99 is 4 and the right edge, as is all beyond.
			nines := math.Min(4, -math.Log10(math.Max(1-q.Q, 1e-4)))
			y := chartHeight - chartHeight*q.Millis/math.Max(chart.Top, math.SmallestNonzeroFloat64)
			points = append(points, fmt.Sprintf("%.1f,%.1f", chartWidth*nines/4, y))
		}
		chart.Curves = append(chart.Curves, curve{LoadClass: c, Hue: (210 + 67*i) % 360, Points: strings.Join(points, " ")})
	}
	return chart
}
