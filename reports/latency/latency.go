// Package latency compares two distributions of latencies by their quantiles.
// It must not know where they come from.
package latency

import (
	"cmp"
	"math"
	"slices"

	"github.com/meshfed/meshfed/reports"
)

// Distribution is a histogram by rising value. The zero value is empty.
type Distribution struct {
	buckets []reports.LatencyBucket
	n       int64
}

// New is the Distribution of those buckets, in any order.
func New(buckets []reports.LatencyBucket) Distribution {
	d := Distribution{buckets: slices.Clone(buckets)}
	slices.SortFunc(d.buckets, func(a, b reports.LatencyBucket) int { return cmp.Compare(a.Millis, b.Millis) })
	for _, b := range d.buckets {
		d.n += b.Count
	}
	return d
}

// Count is how many values there are.
func (d Distribution) Count() int64 { return d.n }

// Buckets are the histogram by rising value. The caller owns them.
func (d Distribution) Buckets() []reports.LatencyBucket { return slices.Clone(d.buckets) }

// Quantile is the smallest value with a share q of all at or below it, in
// milliseconds; 0 if there is none.
func (d Distribution) Quantile(q float64) float64 {
	var below int64
	for _, b := range d.buckets {
		if below += b.Count; float64(below) >= q*float64(d.n) {
			return b.Millis
		}
	}
	return 0
}

// above is how many values are greater than a threshold.
func (d Distribution) above(threshold float64) int64 {
	var n int64
	for i := len(d.buckets) - 1; i >= 0 && d.buckets[i].Millis > threshold; i-- {
		n += d.buckets[i].Count
	}
	return n
}

// pooled is the quantile of both distributions together, every value of the
// new one less by shift.
func pooled(old, now Distribution, shift, q float64) float64 {
	wanted := q * float64(old.n+now.n)
	var below int64
	var value float64
	i, j := 0, 0
	for float64(below) < wanted {
		if j == len(now.buckets) || i < len(old.buckets) && old.buckets[i].Millis <= now.buckets[j].Millis-shift {
			value, below = old.buckets[i].Millis, below+old.buckets[i].Count
			i++
			continue
		}
		value, below = now.buckets[j].Millis-shift, below+now.buckets[j].Count
		j++
	}
	return value
}

// minTail is how many values must lie beyond a quantile in each run: with
// fewer the normal approximation of Excess does not hold.
const minTail = 40

// Enough says whether there are enough values to test that quantile.
func (d Distribution) Enough(q float64) bool {
	return float64(d.n)*math.Min(q, 1-q) >= minTail
}

// Excess is the quantile test: of the values beyond the pooled quantile, how
// many more belong to the new run than its share, in standard deviations. If
// both are of one distribution, the split of those values is hypergeometric,
// whatever that distribution is; so the rate of false alarms is known without
// an estimate of the density, which at a tail is mostly noise. Every value of
// the new run is taken less by shift, in milliseconds. Both must have values.
func Excess(old, now Distribution, shift, q float64) float64 {
	threshold := pooled(old, now, shift, q)
	beyondOld, beyondNow := float64(old.above(threshold)), float64(now.above(threshold+shift))
	beyond, total := beyondOld+beyondNow, float64(old.n+now.n)
	share := float64(now.n) / total
	spread := math.Sqrt(beyond * share * (1 - share) * (total - beyond) / (total - 1))
	if spread == 0 {
		return 0
	}
	difference := beyondNow - beyond*share
	// The correction for a count that is whole, towards no alarm.
	return math.Copysign(math.Max(0, math.Abs(difference)-0.5), difference) / spread
}

// bisections of a range: to a millionth of the range and beyond.
const bisections = 40

// Interval is every shift of the new run against the old one that the test
// does not refute, at z standard deviations: it leaves out 0 exactly if the
// test alarms. In milliseconds. Both must have values.
func Interval(old, now Distribution, q, z float64) (low, high float64) {
	span := old.buckets[len(old.buckets)-1].Millis - old.buckets[0].Millis +
		now.buckets[len(now.buckets)-1].Millis - now.buckets[0].Millis + 1
	middle := now.Quantile(q) - old.Quantile(q)
	edge := func(outside float64, refuted func(float64) bool) float64 {
		inside := middle
		for range bisections {
			if half := (inside + outside) / 2; refuted(Excess(old, now, half, q)) {
				outside = half
			} else {
				inside = half
			}
		}
		return inside
	}
	low = edge(middle-span, func(e float64) bool { return e > z })
	high = edge(middle+span, func(e float64) bool { return e < -z })
	return low, high
}
