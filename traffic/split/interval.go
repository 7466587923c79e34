package split

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is where the true share of a side lies that answered count of of
// requests, in a test that may be looked at as often as one likes and ended
// because of what was seen: of all the intervals of a test, one misses the true
// share no more often than alpha.
//
// It holds the shares that the count makes not much less likely than they were
// before anything was asked, when all were alike: the prior-posterior ratio of
// Waudby-Smith and Ramdas, "Confidence sequences for sampling without
// replacement" (NeurIPS 2020), section 2.
func Interval(count, of int, alpha float64) (low, high float64) {
	seen := float64(count) / float64(of)
	inside := func(share float64) bool { return likely(share, count, of, alpha) }
	high = 1
	if count > 0 {
		low = border(seen, 0, inside)
	}
	if count < of {
		high = border(seen, 1, inside)
	}
	return low, high
}

// likely says whether the share is one of Interval's.
func likely(share float64, count, of int, alpha float64) bool {
	after := distuv.Beta{Alpha: 1 + float64(count), Beta: 1 + float64(of-count)}
	return after.LogProb(share) > math.Log(alpha)
}

// border is where a condition that holds at the one share, and not at the other,
// ends. Sixty halvings are all that a float64 has.
func border(holds, not float64, condition func(float64) bool) float64 {
	for range 60 {
		middle := (holds + not) / 2
		if condition(middle) {
			holds = middle
		} else {
			not = middle
		}
	}
	return holds
}
