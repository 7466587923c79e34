package steps

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic/load"
)

var quietAndFlood = loadRows(
	"phase | name     | request | with             | share",
	"quiet | alone    | GET /a  | c1's certificate | 1",
	"flood | beside   | GET /a  | c1's certificate | 1",
	"flood | too many | GET /a  | c3's certificate | 10",
)

func TestPhasesAreSentInTurnAndEachIsOneLoad(t *testing.T) {
	var order []string
	var rates []int
	w := loadWorld(&loads{answer: func(p load.Plan) (load.Result, error) {
		order, rates = append(order, p.Targets[0].Name), append(rates, p.Rate)
		return served(time.Millisecond)(p)
	}})
	require.NoError(t, w.loadInPhases(t.Context(), 2, 3, 50, "c2", quietAndFlood))
	assert.Equal(t, []string{"alone", "beside", "alone", "beside"}, order)
	assert.Equal(t, []int{50, 550, 50, 550}, rates)
	figures := w.Figures().Loads
	require.Len(t, figures, 2)
	assert.Equal(t, "requests that arrive at c2 (quiet)", figures[0].What)
	assert.InDelta(t, 6, figures[0].DurationSeconds, 0)
	assert.InDelta(t, 550, figures[1].RatePerSecond, 0)
	alone, err := w.loadOf("alone")
	require.NoError(t, err)
	assert.EqualValues(t, 300, alone.latency.Count(), "both times")
	require.NoError(t, w.loadSlower(t.Context(), "beside", 20, "alone", "50"))
}

// lateAt is a generator that does not keep its time in those sendings.
func lateAt(sent *int, turns ...int) func(load.Plan) (load.Result, error) {
	return func(p load.Plan) (load.Result, error) {
		*sent++
		r, err := served(time.Millisecond)(p)
		lag := int64(100)
		if slices.Contains(turns, *sent) {
			lag = 7000
		}
		r.Lag, r.LagP99 = []load.Bucket{{Micros: lag, Count: int64(p.Count)}}, time.Duration(lag)*time.Microsecond
		return r, err
	}
}

func TestATurnWhoseGeneratorIsLateIsSentAgain(t *testing.T) {
	sent := 0
	w := loadWorld(&loads{answer: lateAt(&sent, 2)})
	require.NoError(t, w.loadInPhases(t.Context(), 2, 1, 100, "c2", quietAndFlood))
	assert.Equal(t, 5, sent)
	assert.Equal(t, []float64{7}, w.Figures().Loads[1].InvalidBefore)
	beside, err := w.loadOf("beside")
	require.NoError(t, err)
	assert.EqualValues(t, 2*1100/2, beside.latency.Count(), "of the turns that count only")
}

func TestAPhaseWhoseGeneratorStaysLateIsInvalid(t *testing.T) {
	sent := 0
	w := loadWorld(&loads{answer: lateAt(&sent, 1, 2, 3, 4, 5, 6, 7, 8)})
	require.ErrorIs(t, w.loadInPhases(t.Context(), 2, 1, 100, "c2", quietAndFlood), reports.ErrInconclusive)
	assert.Equal(t, 2*2+2*(sendings-1), sent, "each phase has been sent again twice")

	// There must be time for all that is to follow.
	ctx, cancel := context.WithTimeout(t.Context(), judging+3*time.Second)
	defer cancel()
	sent = 0
	require.ErrorIs(t, w.loadInPhases(ctx, 2, 1, 100, "c2", quietAndFlood), reports.ErrInconclusive)
	assert.Equal(t, 4+2*(sendings-1), sent, "only the last turn of each")
}

// spread are requests that are all served, and take up to so long.
func spread(most time.Duration) func(load.Plan) (load.Result, error) {
	return func(p load.Plan) (load.Result, error) {
		r, err := served(most)(p)
		for i, s := range r.Samples {
			n := s.Count()
			r.Samples[i].Latency = nil
			for k := range n {
				r.Samples[i].Latency = append(r.Samples[i].Latency, load.Bucket{Micros: (k + 1) * most.Microseconds() / n, Count: 1})
			}
		}
		return r, err
	}
}

// turnsUntil is how often the phases are sent, 3 to 6 times, until p50 is known
// to a share in percent.
func turnsUntil(ctx context.Context, percent int, answer func(load.Plan) (load.Result, error)) (int, *World, error) {
	sent := 0
	w := loadWorld(&loads{answer: func(p load.Plan) (load.Result, error) {
		sent++
		return answer(p)
	}})
	err := w.loadUntilKnown(ctx, 3, 6, 1, 100, "c2", "beside", percent, "alone", "50", quietAndFlood)
	return sent / 2, w, err
}

func TestPhasesAreSentUntilTheDifferenceIsKnown(t *testing.T) {
	turns, w, err := turnsUntil(t.Context(), 60, spread(10*time.Millisecond))
	require.NoError(t, err)
	assert.Equal(t, 3, turns, "known at once")
	require.NoError(t, w.loadSlower(t.Context(), "beside", 90, "alone", "50"))

	turns, w, err = turnsUntil(t.Context(), 19, spread(10*time.Millisecond))
	require.NoError(t, err)
	assert.Greater(t, turns, 3)
	assert.Less(t, turns, 6)
	alone, err := w.loadOf("alone")
	require.NoError(t, err)
	assert.EqualValues(t, 100*turns, alone.latency.Count(), "of all turns")
	assert.InDelta(t, turns, w.Figures().Loads[0].DurationSeconds, 0)

	turns, _, err = turnsUntil(t.Context(), 1, spread(10*time.Millisecond))
	require.NoError(t, err, "what is not known is for the sentence that compares")
	assert.Equal(t, 6, turns)
}

// What stops the turns must not be what the comparison would say.
func TestHowOftenPhasesAreSentDoesNotDependOnWhichIsTheSlower(t *testing.T) {
	for _, slower := range []string{"alone", "beside"} {
		turns, _, err := turnsUntil(t.Context(), 60, func(p load.Plan) (load.Result, error) {
			r, err := spread(10 * time.Millisecond)(p)
			for i := range r.Samples {
				for k := range r.Samples[i].Latency {
					if r.Samples[i].Target == slower {
						r.Samples[i].Latency[k].Micros += 2000
					}
				}
			}
			return r, err
		})
		require.NoError(t, err)
		assert.Equal(t, 3, turns, slower)
	}
}

func TestPhasesAreSentNoMoreThanThereIsTimeFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), judging+time.Second)
	defer cancel()
	turns, _, err := turnsUntil(ctx, 1, spread(10*time.Millisecond))
	require.NoError(t, err)
	assert.Equal(t, 3, turns)
}

func TestPhasesUntilSomethingElseIsKnownAreRefused(t *testing.T) {
	w := loadWorld(&loads{answer: served(time.Millisecond)})
	for want, try := range map[string]func() error{
		`"nobody"`: func() error {
			return w.loadUntilKnown(t.Context(), 3, 6, 1, 100, "c2", "nobody", 10, "alone", "50", quietAndFlood)
		},
		`"nothing"`: func() error {
			return w.loadUntilKnown(t.Context(), 3, 6, 1, 100, "c2", "beside", 10, "nothing", "50", quietAndFlood)
		},
		"p100": func() error {
			return w.loadUntilKnown(t.Context(), 3, 6, 1, 100, "c2", "beside", 10, "alone", "100", quietAndFlood)
		},
		"6 to 3 times": func() error {
			return w.loadUntilKnown(t.Context(), 6, 3, 1, 100, "c2", "beside", 10, "alone", "50", quietAndFlood)
		},
	} {
		assert.ErrorContains(t, try(), want)
	}
}

func TestPhasesThatAreStoppedKeepWhatTheyMeasured(t *testing.T) {
	stopped := errors.New("interrupted")
	w := loadWorld(&loads{answer: func(p load.Plan) (load.Result, error) {
		r, _ := served(time.Millisecond)(p)
		return r, stopped
	}})
	require.ErrorIs(t, w.loadInPhases(t.Context(), 2, 1, 100, "c2", quietAndFlood), stopped)
	require.Len(t, w.Figures().Loads, 1)
	assert.True(t, w.Figures().Loads[0].Interrupted)
}

func TestATableOfPhasesThatIsNoneIsRefused(t *testing.T) {
	for want, rows := range map[string][]string{
		`begins with "phase"`: {"name | request | with", "a | GET /a | c1's certificate"},
		"at least one row":    {"phase | name | request | with"},
		`phase "x": "a": the`: {"phase | name | request", "x | a | GET /a"},
	} {
		_, err := loadPhases(1, 1, "c2", loadRows(rows...))
		assert.ErrorContains(t, err, want)
	}
}
