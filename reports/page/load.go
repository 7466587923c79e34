package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/meshfed/meshfed/reports"
)

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
	Hue       int
	Points    string
	Histogram histogram
}

// histogram is drawn over the logarithm of the latency.
type histogram struct {
	Bars     []column
	From, To float64
}

type column struct{ X, Y, Wide, High float64 }

const (
	chartHeight = 160
	// histogramHeight and histogramBars are those of one histogram.
	histogramHeight = 60
	histogramBars   = 50
)

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
		chart.Curves = append(chart.Curves, curve{
			LoadClass: c, Hue: (210 + 67*i) % 360, Points: strings.Join(points, " "), Histogram: newHistogram(c.Histogram),
		})
	}
	return chart
}

// newHistogram puts the buckets into columns of equal width; none if there are
// no buckets.
func newHistogram(buckets []reports.LatencyBucket) histogram {
	h := histogram{From: math.Inf(1)}
	for _, b := range buckets {
		if b.Millis > 0 {
			h.From, h.To = math.Min(h.From, b.Millis), math.Max(h.To, b.Millis)
		}
	}
	if h.To == 0 {
		return histogram{}
	}
	// All values alike still have a width.
	span := math.Max(math.Log(h.To/h.From), 1e-9)
	var counts [histogramBars]int64
	var most int64
	for _, b := range buckets {
		if b.Millis > 0 {
			at := min(histogramBars-1, int(histogramBars*math.Log(b.Millis/h.From)/span))
			counts[at] += b.Count
			most = max(most, counts[at])
		}
	}
	const wide = float64(chartWidth) / histogramBars
	for i, n := range counts {
		if n > 0 {
			high := math.Max(1, histogramHeight*float64(n)/float64(most))
			h.Bars = append(h.Bars, column{X: wide * float64(i), Y: histogramHeight - high, Wide: wide - 1, High: high})
		}
	}
	return h
}

// ofScenario is a figure and the scenario that it is of.
type ofScenario[T any] struct {
	Scenario string
	Figure   T
}

func each[T any](id string, all []T) []ofScenario[T] {
	var some []ofScenario[T]
	for _, one := range all {
		some = append(some, ofScenario[T]{id, one})
	}
	return some
}
