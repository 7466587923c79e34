package split

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// ratio is how much less likely a share is, of a count, than all shares are
// together: by the textbook's formula, as an opinion of its own.
func ratio(count, of int, share float64) float64 {
	a, _ := math.Lgamma(float64(of + 2))
	b, _ := math.Lgamma(float64(count + 1))
	c, _ := math.Lgamma(float64(of - count + 1))
	return math.Exp(a - b - c + float64(count)*math.Log(share) + float64(of-count)*math.Log(1-share))
}

func TestAnIntervalEndsWhereTheRatioFallsToItsLevel(t *testing.T) {
	for _, c := range []struct {
		count, of int
		alpha     float64
	}{
		{5, 10, 0.05}, {1, 100, 0.05}, {81, 263, 0.001}, {480, 1000, 1e-4}, {3, 2000, 1e-4},
	} {
		low, high := Interval(c.count, c.of, c.alpha)
		require.Less(t, low, float64(c.count)/float64(c.of), "%+v", c)
		require.Greater(t, high, float64(c.count)/float64(c.of), "%+v", c)
		for _, end := range []float64{low, high} {
			require.InEpsilon(t, c.alpha, ratio(c.count, c.of, end), 1e-6, "%+v", c)
		}
	}
}

func TestAnIntervalHoldsWhatWasSeenEvenAtTheEnds(t *testing.T) {
	low, high := Interval(0, 0, 0.01)
	require.Equal(t, [2]float64{0, 1}, [2]float64{low, high}, "nothing was asked")
	low, high = Interval(0, 100, 0.01)
	require.Zero(t, low)
	require.InEpsilon(t, 0.01, ratio(0, 100, high), 1e-6)
	low, high = Interval(100, 100, 0.01)
	require.Equal(t, 1.0, high)
	require.InEpsilon(t, 0.01, ratio(100, 100, low), 1e-6)
}

// outcome is what a test comes to that looks at each of its looks.
type outcome struct{ asPlanned, off, undecided, requests float64 }

// exactly goes through all that can happen, each with its probability, but for
// what happens less than once in 10^15 times.
func exactly(t *testing.T, p Plan, truth float64, looks []int) outcome {
	t.Helper()
	var o outcome
	alive := []float64{1}
	at := 0
	for n := 1; n <= looks[len(looks)-1]; n++ {
		next := make([]float64, n+1)
		for k, probability := range alive {
			if probability < 1e-15 {
				continue
			}
			next[k] += probability * (1 - truth)
			next[k+1] += probability * truth
			o.requests += probability
		}
		alive = next
		if n != looks[at] {
			continue
		}
		at++
		for k, probability := range alive {
			if probability == 0 {
				continue
			}
			switch p.Judge(k, n) {
			case AsPlanned:
				o.asPlanned += probability
			case Off:
				o.off += probability
			case Undecided:
				continue
			}
			alive[k] = 0
		}
	}
	for _, probability := range alive {
		o.undecided += probability
	}
	return o
}

func TestHoweverOftenOneLooksTheErrorsStayAsPlanned(t *testing.T) {
	for _, p := range []Plan{
		{Share: 0.5, Shift: 0.1, Alpha: 0.05, Power: 0.8},
		{Share: 0.5, Shift: 0.1, Alpha: 1e-4, Power: 0.99},
		{Share: 0.9, Shift: 0.05, Alpha: 0.01, Power: 0.95},
		{Share: 0.1, Shift: 0.1, Alpha: 0.01, Power: 0.9},
	} {
		few, err := p.Looks()
		require.NoError(t, err)
		each := make([]int, few[3])
		for i := range each {
			each[i] = i + 1
		}
		for _, looks := range [][]int{few, each} {
			require.LessOrEqual(t, exactly(t, p, p.Share, looks).off, p.Alpha, "%+v: a right split is called wrong, %d looks", p, len(looks))
			for _, further := range []float64{0, 0.03, 0.1} {
				for _, other := range []float64{p.Share - p.Shift - further, p.Share + p.Shift + further} {
					if other < 0 || other > 1 {
						continue
					}
					require.LessOrEqual(t, exactly(t, p, other, looks).asPlanned, 1-p.Power, "%+v: %v is called right, %d looks", p, other, len(looks))
				}
			}
		}
	}
}

func TestATestComesToAnEnd(t *testing.T) {
	plan := Plan{Share: 0.5, Shift: 0.1, Alpha: 1e-4, Power: 0.99}
	looks, err := plan.Looks()
	require.NoError(t, err)
	right := exactly(t, plan, 0.5, looks)
	require.Zero(t, right.undecided, "a right split")
	require.Less(t, right.requests, 967.0/2, "a test of a size that is fixed before takes 967 for the same errors")
	wrong := exactly(t, plan, 0.6, looks)
	require.Greater(t, wrong.off, 0.99)
	require.Zero(t, wrong.undecided, "one that is off by the shift")
	between := exactly(t, plan, 0.55, looks)
	require.Zero(t, between.undecided, "one between right and wrong")
	require.Less(t, exactly(t, plan, 0, looks).requests, float64(looks[0])+1, "one side has all")
}

func TestTheFirstLookIsTheFirstThatCanBeEnough(t *testing.T) {
	plan := Plan{Share: 0.5, Shift: 0.1, Alpha: 1e-4, Power: 0.99}
	looks, err := plan.Looks()
	require.NoError(t, err)
	require.Equal(t, AsPlanned, plan.Judge(looks[0]/2, looks[0]))
	require.Equal(t, Undecided, plan.Judge(looks[0]/2-1, looks[0]-2))
	require.IsIncreasing(t, looks)
	for i, n := range looks[1:] {
		require.InDelta(t, 1.25*float64(looks[i]), float64(n), 1, "each look has a quarter more")
	}
}

func TestASplitThatIsOffIsNoticedAndARightOneIsNot(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	judged := func(p Plan, looks []int, truth float64) Judgement {
		count, n := 0, 0
		for _, look := range looks {
			for ; n < look; n++ {
				if random.Float64() < truth {
					count++
				}
			}
			if j := p.Judge(count, n); j != Undecided {
				low, high := Interval(count, n, p.Alpha)
				require.Equal(t, j == Off, p.Share < low || p.Share > high, "the verdict is the interval's: %d of %d", count, n)
				return j
			}
		}
		return Undecided
	}
	for _, c := range []struct{ shift, truth float64 }{{0.05, 0.55}, {0.05, 0.45}, {0.1, 0.6}, {0.1, 0.4}} {
		plan := Plan{Share: 0.5, Shift: c.shift, Alpha: 0.001, Power: 0.99}
		looks, err := plan.Looks()
		require.NoError(t, err)
		noticed, alarms := 0, 0
		const rounds = 300
		for range rounds {
			if judged(plan, looks, c.truth) == Off {
				noticed++
			}
			if judged(plan, looks, 0.5) != AsPlanned {
				alarms++
			}
		}
		require.GreaterOrEqual(t, noticed, rounds*97/100, "%v", c.truth)
		require.LessOrEqual(t, alarms, 3)
	}
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
		"too small a shift":    {Share: 0.5, Shift: 1e-6, Alpha: 0.01, Power: 0.9},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Looks()
			require.ErrorIs(t, err, ErrPlan)
		})
	}
}
