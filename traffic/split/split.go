// Package split judges whether traffic is shared as it should be: how many
// requests are needed to tell a shift of a given size, and what a count says.
// Everything is exact for the binomial distribution; it knows nothing of HTTP.
package split

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Plan says how certain a test of a split shall be.
type Plan struct {
	// Share is the intended share of one side, above 0 and below 1.
	Share float64
	// Shift is the smallest deviation that must be noticed: 0.05 tells 55:45
	// from 50:50.
	Shift float64
	// Alpha is how often a right split may be called wrong: the flake rate.
	Alpha float64
	// Power is how often a split that is off by Shift must be called wrong.
	Power float64
}

// maxSize is where a search ends: nobody sends that many requests in a test.
const maxSize = 10_000_000

// ErrPlan is wrapped by the errors about a plan that makes no sense.
var ErrPlan = errors.New("split plan")

// Size is the smallest number of requests with which the test of Judge has the
// plan's power against a shift to either side. A shift that would leave the
// range from 0 to 1 on one side is only looked for on the other.
//
// Exact power rises in a saw-tooth, so the smallest size is searched one by
// one, from well below the one that the normal approximation gives.
func (p Plan) Size() (int, error) {
	if err := p.validate(); err != nil {
		return 0, err
	}
	for n := max(1, int(0.7*p.approximate())); n <= maxSize; n++ {
		if p.powerAt(n) >= p.Power {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: it would take more than %d requests", ErrPlan, maxSize)
}

func (p Plan) validate() error {
	inside := func(x float64) bool { return x > 0 && x < 1 }
	switch {
	case !inside(p.Share):
		return fmt.Errorf("%w: share %v is not between 0 and 1", ErrPlan, p.Share)
	case !(p.Shift > 0) || (p.Share+p.Shift > 1 && p.Share-p.Shift < 0):
		return fmt.Errorf("%w: a shift of %v from %v is not possible", ErrPlan, p.Shift, p.Share)
	case !inside(p.Alpha) || !inside(p.Power):
		return fmt.Errorf("%w: alpha %v and power %v are to be between 0 and 1", ErrPlan, p.Alpha, p.Power)
	}
	return nil
}

// approximate is the textbook size for a normal test of one proportion, for
// the side on which it takes more.
func (p Plan) approximate() float64 {
	za, zb := distuv.UnitNormal.Quantile(1-p.Alpha/2), distuv.UnitNormal.Quantile(p.Power)
	largest := 0.0
	for _, other := range p.shifted() {
		n := za*math.Sqrt(p.Share*(1-p.Share)) + zb*math.Sqrt(other*(1-other))
		largest = max(largest, n*n/(p.Shift*p.Shift))
	}
	return largest
}

func (p Plan) shifted() []float64 {
	var others []float64
	for _, other := range []float64{p.Share - p.Shift, p.Share + p.Shift} {
		if other >= 0 && other <= 1 {
			others = append(others, other)
		}
	}
	return others
}

func (p Plan) powerAt(n int) float64 {
	low, high := accepted(n, p.Share, p.Alpha)
	least := 1.0
	for _, other := range p.shifted() {
		least = min(least, 1-(atMost(high, n, other)-atMost(low-1, n, other)))
	}
	return least
}

// accepted is the range of counts that an exact test with equal tails accepts.
func accepted(n int, share, alpha float64) (low, high int) {
	low = smallest(n, func(k int) bool { return atMost(k, n, share) > alpha/2 })
	// By symmetry: the losses of a share are the wins of its complement, and
	// upper tails are computed as lower ones, without cancellation.
	high = n - smallest(n, func(k int) bool { return atMost(k, n, 1-share) > alpha/2 })
	return low, high
}

// smallest is the first k from 0 to n for which a monotone condition holds.
func smallest(n int, holds func(int) bool) int {
	low, high := 0, n
	for low < high {
		middle := (low + high) / 2
		if holds(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// atMost is the probability of at most k of n.
func atMost(k, n int, share float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n || share <= 0:
		return 1
	case share >= 1:
		return 0
	}
	return distuv.Binomial{N: float64(n), P: share}.CDF(float64(k))
}
