package traffic

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// script answers a probe with one kind after another, the last for ever.
func script(kinds ...Kind) (probe func(context.Context) (Outcome, error), asked *int) {
	asked = new(int)
	return func(context.Context) (Outcome, error) {
		k := kinds[min(*asked, len(kinds)-1)]
		*asked++
		return Outcome{Kind: k, Nonce: string(rune('a' + *asked))}, nil
	}, asked
}

func allowed(o Outcome) bool { return o.Kind == Allowed }

func TestTheOutcomeMustHoldSeveralTimesInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe, asked := script(NoRoute, Allowed, NoRoute, Allowed, Allowed, Allowed, Reset)
		o, err := Eventually(t.Context(), Wait{What: "allowed", Fits: allowed, Consecutive: 3}, probe)
		require.NoError(t, err)
		require.Equal(t, Allowed, o.Kind)
		require.Equal(t, 6, *asked)
	})
}

func TestOneIsEnoughByDefaultAndCostsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		probe, _ := script(Allowed)
		_, err := Eventually(t.Context(), Wait{Fits: allowed}, probe)
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
	})
}

func TestPausesGrowFrom20To200Milliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := Eventually(ctx, Wait{Fits: allowed}, func(context.Context) (Outcome, error) {
			at = append(at, time.Now())
			return Outcome{Kind: NoRoute}, nil
		})
		require.Error(t, err)
		require.LessOrEqual(t, at[1].Sub(at[0]), 25*time.Millisecond)
		last := at[len(at)-2].Sub(at[len(at)-3])
		require.GreaterOrEqual(t, last, 190*time.Millisecond)
		require.LessOrEqual(t, last, 225*time.Millisecond)
	})
}

func TestTheErrorTellsTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		probe, _ := script(Reset, Reset, NoRoute, DeniedByPolicy)
		last, err := Eventually(ctx, Wait{What: "reviews v2 answers", Fits: allowed}, probe)
		require.ErrorIs(t, err, ErrNotSeen)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "reviews v2 answers: not seen in time")
		require.ErrorContains(t, err, "seen 2 × reset, then 1 × no route, then ")
		require.ErrorContains(t, err, "× denied by policy")
		require.Equal(t, DeniedByPolicy, last.Kind)
	})
}

func TestAFlappingHistoryStaysShort(t *testing.T) {
	var h history
	for i := range 1000 {
		h.add(Outcome{Kind: []Kind{Allowed, NoRoute}[i%2]})
	}
	require.Less(t, len(h.String()), 300)
	require.Contains(t, h.String(), "992 changes before")
	require.Equal(t, "nothing was seen at all", history{}.String())
}

func TestAProbeThatCannotBeSentEndsTheWait(t *testing.T) {
	broken := errors.New("no pod")
	_, err := Eventually(t.Context(), Wait{What: "x", Fits: allowed}, func(context.Context) (Outcome, error) { return Outcome{}, broken })
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, ErrNotSeen)
}
