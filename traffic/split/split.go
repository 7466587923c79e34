// Package split judges whether traffic is shared as it should be: after how many
// requests it is worth a look, and what a count says. The test is sequential
// (Wald, 1945): it ends as soon as enough was seen, which a right split shows
// after less than half of the requests that a test of fixed size takes for the
// same errors. Its errors are bounds, not approximations; it knows nothing of HTTP.
package split

import (
	"errors"
	"fmt"
	"math"
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
	// Power is how often a split that is off by Shift or more must not be called
	// right.
	Power float64
}

// Judgement is what a count says of a plan.
type Judgement string

// The judgements. Undecided means that more requests will tell.
const (
	Undecided Judgement = "undecided"
	AsPlanned Judgement = "as planned"
	Off       Judgement = "off"
)

// ErrPlan is wrapped by the errors about a plan that makes no sense.
var ErrPlan = errors.New("split plan")

// Judge says whether count of of requests are as planned. The plan's errors hold
// however often it is asked in one test: by Ville's inequality a likelihood ratio
// against the truth is hardly ever large, at whatever moment.
//
// Off is a share outside of Interval. As planned is one that makes the plan more
// likely than either shift, by as much as the power demands; what is shifted
// further makes it less likely still.
func (p Plan) Judge(count, of int) Judgement {
	if !likely(p.Share, count, of, p.Alpha) {
		return Off
	}
	for _, other := range p.shifted() {
		if p.against(other, count, of) < -math.Log(1-p.Power) {
			return Undecided
		}
	}
	return AsPlanned
}

// against is the logarithm of how much more likely a count is with the plan's
// share than with another one.
func (p Plan) against(other float64, count, of int) float64 {
	term := func(n int, share, other float64) float64 {
		if n == 0 {
			return 0
		}
		return float64(n) * math.Log(share/other)
	}
	return term(count, p.Share, other) + term(of-count, 1-p.Share, 1-other)
}

// shifted are the shares that are off by the shift. One that would leave the
// range from 0 to 1 is not looked for.
func (p Plan) shifted() []float64 {
	var others []float64
	for _, other := range []float64{p.Share - p.Shift, p.Share + p.Shift} {
		if other >= 0 && other <= 1 {
			others = append(others, other)
		}
	}
	return others
}

const (
	// growth of the requests from look to look. A right split needs nearly twice
	// those of the first look on average.
	growth = 1.25
	// maxSize is where a search ends: nobody sends that many requests in a test.
	maxSize = 1_000_000
)

// Looks are the numbers of requests, all together, after which Judge is worth
// asking. The first is the smallest at which a split exactly as planned is known
// to be it, and after the last one no count is undecided.
func (p Plan) Looks() ([]int, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	n := 1
	for p.Judge(int(math.Round(p.Share*float64(n))), n) != AsPlanned {
		if n++; n > maxSize {
			return nil, fmt.Errorf("%w: it would take more than %d requests", ErrPlan, maxSize)
		}
	}
	looks := []int{n}
	for !p.decided(n) {
		n = int(math.Ceil(growth * float64(n)))
		looks = append(looks, n)
	}
	return looks, nil
}

// decided says that so many requests leave nothing undecided.
func (p Plan) decided(of int) bool {
	for count := range of + 1 {
		if p.Judge(count, of) == Undecided {
			return false
		}
	}
	return true
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
