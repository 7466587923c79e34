package steps

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/traffic"
)

func sleepFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func TestATryThatHangsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var tries atomic.Int32
		var seen []int
		for n := range inTurn(t.Context(), func(ctx context.Context) int {
			n := int(tries.Add(1))
			if n == 1 {
				sleepFor(ctx, 3*time.Second)
			}
			return n
		}) {
			if seen = append(seen, n); n == 3 {
				break
			}
		}
		assert.Equal(t, []int{2, 3}, seen)
		assert.Equal(t, hanging+pause, time.Since(began))
	})
}

func TestWhatALaterTryHasOvertakenIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		var seen []int
		for n := range inTurn(t.Context(), func(ctx context.Context) int {
			n := int(tries.Add(1))
			sleepFor(ctx, map[int]time.Duration{1: 2 * hanging, 2: hanging / 5, 3: 3 * hanging}[n])
			return n
		}) {
			if seen = append(seen, n); n >= 4 {
				break
			}
		}
		assert.Equal(t, []int{2, 4}, seen)
	})
}

func TestTriesAreBoundedAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var open, most atomic.Int32
		for range inTurn(ctx, func(ctx context.Context) int {
			most.Store(max(most.Load(), open.Add(1)))
			defer open.Add(-1)
			<-ctx.Done()
			return 0
		}) {
			assert.Error(t, ctx.Err(), "nothing came of any before the end")
		}
		synctest.Wait()
		assert.EqualValues(t, mostTries, most.Load())
		assert.Zero(t, open.Load())
	})
}

func TestUntilTellsWhatWasSeenLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(Environment{})
		var asked atomic.Int32
		q := question{what: "it", send: func(ctx context.Context, _ string) (traffic.Outcome, error) {
			if asked.Add(1) > 1 {
				sleepFor(ctx, time.Hour)
				return traffic.Outcome{}, ctx.Err()
			}
			return traffic.Outcome{Kind: traffic.NoRoute}, nil
		}}
		_, err := w.until(t.Context(), q, settling, "an answer", by(traffic.Backend{}))
		require.ErrorIs(t, err, errLate)
		assert.ErrorContains(t, err, "seen last: no route")
		q.send = func(context.Context, string) (traffic.Outcome, error) { return traffic.Outcome{}, assert.AnError }
		_, err = w.until(t.Context(), q, settling, "an answer", by(traffic.Backend{}))
		require.ErrorIs(t, err, assert.AnError, "what cannot be asked is not asked again")
	})
}
