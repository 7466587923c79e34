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
				v, err := Judge(k, n, p.Share, p.Alpha)
				require.NoError(t, err)
				if !v.Holds {
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
			off, err := Judge(draw(n, c.truth), n, 0.5, plan.Alpha)
			require.NoError(t, err)
			right, err := Judge(draw(n, 0.5), n, 0.5, plan.Alpha)
			require.NoError(t, err)
			if !off.Holds {
				noticed++
			}
			if !right.Holds {
				alarms++
			}
		}
		require.GreaterOrEqual(t, noticed, rounds*97/100, "%v of %d requests", c.truth, n)
		require.LessOrEqual(t, alarms, 4, "of %d requests", n)
	}
}

func TestVerdictsReadAsASentence(t *testing.T) {
	v, err := Judge(60, 100, 0.5, 0.01)
	require.NoError(t, err)
	require.Equal(t, "60 of 100 are 60.00 %, the true share is between 46.65 % and 72.37 %: 50.00 % holds", v.String())
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

func TestACountThatIsNotPossibleIsAnError(t *testing.T) {
	for _, c := range [][2]int{{0, 0}, {-1, 10}, {11, 10}, {0, -1}} {
		_, err := Judge(c[0], c[1], 0.5, 0.01)
		require.Error(t, err)
	}
	_, err := Judge(1, 2, 1.5, 0.01)
	require.Error(t, err)
	_, err = Judge(1, 2, 0.5, 0)
	require.Error(t, err)
}
