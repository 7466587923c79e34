package split

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIntervalsAreThoseOfTheTables(t *testing.T) {
	for _, c := range []struct {
		count, of int
		alpha     float64
		low, high float64
	}{
		{5, 10, 0.05, 0.1871, 0.8129},
		{0, 10, 0.05, 0, 0.3085},
		{10, 10, 0.05, 0.6915, 1},
		{1, 100, 0.05, 0.000253, 0.054459},
		{81, 263, 0.05, 0.2527, 0.3676},
	} {
		low, high := Interval(c.count, c.of, c.alpha)
		require.InDelta(t, c.low, low, 1e-4, "%d of %d", c.count, c.of)
		require.InDelta(t, c.high, high, 1e-4, "%d of %d", c.count, c.of)
	}
}

// pmf is the textbook formula, as an opinion of its own.
func pmf(k, n int, p float64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
}

// holds says whether k of n is no evidence against the plan's share.
func holds(k, n int, p Plan) bool {
	low, high := Interval(k, n, p.Alpha)
	return low <= p.Share && p.Share <= high
}

func TestSizesKeepTheirLevelAndReachTheirPower(t *testing.T) {
	for _, p := range []Plan{
		{Share: 0.5, Shift: 0.1, Alpha: 0.05, Power: 0.8},
		{Share: 0.5, Shift: 0.1, Alpha: 0.001, Power: 0.99},
		{Share: 0.9, Shift: 0.05, Alpha: 0.01, Power: 0.95},
		{Share: 0.1, Shift: 0.09, Alpha: 0.01, Power: 0.9},
	} {
		n, err := p.Size()
		require.NoError(t, err)
		rejected := func(truth float64) float64 {
			sum := 0.0
			for k := 0; k <= n; k++ {
				if !holds(k, n, p) {
					sum += pmf(k, n, truth)
				}
			}
			return sum
		}
		require.LessOrEqual(t, rejected(p.Share), p.Alpha+1e-9, "%+v", p)
		for _, other := range p.shifted() {
			require.GreaterOrEqual(t, rejected(other), p.Power-1e-9, "%+v", p)
		}
		require.InEpsilon(t, p.approximate(), float64(n), 0.3, "%+v: near the textbook", p)
	}
}

func TestTheClassicSizeForSixtyToForty(t *testing.T) {
	// The normal approximation gives 194; the exact test needs little more.
	n, err := Plan{Share: 0.5, Shift: 0.1, Alpha: 0.05, Power: 0.8}.Size()
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, 190)
	require.LessOrEqual(t, n, 210)
}

func TestASplitThatIsOffIsNoticedAndARightOneIsNot(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, share float64) int {
		count := 0
		for range n {
			if random.Float64() < share {
				count++
			}
		}
		return count
	}
	for _, c := range []struct{ shift, truth float64 }{{0.05, 0.55}, {0.05, 0.45}, {0.1, 0.6}, {0.1, 0.4}} {
		plan := Plan{Share: 0.5, Shift: c.shift, Alpha: 0.001, Power: 0.99}
		n, err := plan.Size()
		require.NoError(t, err)
		noticed, alarms := 0, 0
		const rounds = 500
		for range rounds {
			if !holds(draw(n, c.truth), n, plan) {
				noticed++
			}
			if !holds(draw(n, 0.5), n, plan) {
				alarms++
			}
		}
		require.GreaterOrEqual(t, noticed, rounds*97/100, "%v of %d requests", c.truth, n)
		require.LessOrEqual(t, alarms, 4, "of %d requests", n)
	}
}

func TestTheIntervalIsTheExactOne(t *testing.T) {
	low, high := Interval(60, 100, 0.01)
	require.InDelta(t, 0.4665, low, 0.00005)
	require.InDelta(t, 0.7237, high, 0.00005)
	low, _ = Interval(0, 100, 0.01)
	require.Zero(t, low)
	_, high = Interval(100, 100, 0.01)
	require.Equal(t, 1.0, high)
}

func TestAPlanThatMakesNoSenseIsAnError(t *testing.T) {
	for name, p := range map[string]Plan{
		"zero":                 {},
		"share of one":         {Share: 1, Shift: 0.1, Alpha: 0.01, Power: 0.9},
		"negative share":       {Share: -0.5, Shift: 0.1, Alpha: 0.01, Power: 0.9},
		"no shift":             {Share: 0.5, Alpha: 0.01, Power: 0.9},
		"negative shift":       {Share: 0.5, Shift: -0.1, Alpha: 0.01, Power: 0.9},
		"a shift out of range": {Share: 0.5, Shift: 0.6, Alpha: 0.01, Power: 0.9},
		"a shift that is NaN":  {Share: 0.5, Shift: math.NaN(), Alpha: 0.01, Power: 0.9},
		"alpha of zero":        {Share: 0.5, Shift: 0.1, Power: 0.9},
		"power of one":         {Share: 0.5, Shift: 0.1, Alpha: 0.01, Power: 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Size()
			require.ErrorIs(t, err, ErrPlan)
		})
	}
}
