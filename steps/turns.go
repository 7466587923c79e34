package steps

import (
	"context"
	"iter"
	"time"
)

const (
	// hanging is how long a try is waited for before the next one is made beside
	// it: many times what an answer takes.
	hanging = 500 * time.Millisecond
	// mostTries bounds how many are under way at once.
	mostTries = 4
)

// inTurn makes one try after another, and a pause between them, for as long as
// the loop over what came of them goes on or until ctx ends. A try that hangs
// does not hold up the next one: it may have set out before what is waited for
// was in force, on a way that leads nowhere for ever. What comes of it after a
// later one says nothing of now, and is left out. A try may run beside others,
// and is told to end with the loop.
func inTurn[T any](ctx context.Context, try func(context.Context) T) iter.Seq[T] {
	type made struct {
		turn int
		of   T
	}
	return func(yield func(T) bool) {
		ctx, end := context.WithCancel(ctx)
		defer end()
		// With room for all of them, none waits for a loop that is over.
		done := make(chan made, mostTries)
		turn, open, seen := 0, 0, 0
		next := func() {
			turn++
			open++
			go func(turn int) { done <- made{turn, try(ctx)} }(turn)
		}
		for next(); ; {
			late := time.NewTimer(hanging)
			select {
			case one := <-done:
				open--
				late.Stop()
				if one.turn > seen {
					if seen = one.turn; !yield(one.of) {
						return
					}
				}
				if one.turn == turn {
					rest(ctx)
					next()
				}
			case <-late.C:
				if open < mostTries {
					next()
				}
			}
			if ctx.Err() != nil {
				return
			}
		}
	}
}
