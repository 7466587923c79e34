package load

import (
	"context"
	"runtime"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// schedule is when each request of a plan is meant to be sent: the targets by
// turns, at a constant rate, all from one beginning. Vegeta stamps a request when
// a worker takes it, and so hides the time that it waited for one.
type schedule struct {
	began  time.Time
	period time.Duration
	turns  []int
	// places are those of each target among the turns.
	places [][]int
}

func newSchedule(p Plan) *schedule {
	s := &schedule{period: time.Second / time.Duration(p.Rate), turns: p.turns(), places: make([][]int, len(p.Targets))}
	for place, target := range s.turns {
		s.places[target] = append(s.places[target], place)
	}
	// All attackers wait before the first request is due.
	s.began = time.Now().Add(s.period)
	return s
}

// meant is the moment at which request seq of a target, from 0, is to be sent.
func (s *schedule) meant(target int, seq uint64) time.Time {
	places := s.places[target]
	n := uint64(len(places))
	return s.at(int(seq/n)*len(s.turns) + places[seq%n])
}

func (s *schedule) at(place int) time.Time {
	return s.began.Add(time.Duration(place) * s.period)
}

// keep says in due, for each of so many requests, that it is due now. It ends
// with the last of them or with ctx, and closes every channel of due. None of
// them may ever be full: whoever is late must not hold up the others.
func (s *schedule) keep(ctx context.Context, count int, due []chan struct{}, sleep sleeper) {
	defer func() {
		for _, target := range due {
			close(target)
		}
	}()
	for place := range count {
		// A stop must not wait for a request that is due in a minute.
		for wait := time.Until(s.at(place)); wait > 0; wait = time.Until(s.at(place)) {
			sleep(min(wait, longestNap))
			if ctx.Err() != nil {
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		due[s.turns[place%len(s.turns)]] <- struct{}{}
		// The attacker, and the worker to whom it gives the request, run here and
		// now, instead of waiting for another thread to wake up and fetch them.
		runtime.Gosched()
	}
}

// longestNap bounds how long a stop may go unheard.
const longestNap = 100 * time.Millisecond

// pacer has one attacker send whenever a request of its own is due.
type pacer struct {
	due <-chan struct{}
	// stop, once closed, ends it: an attacker that is told to stop may send some
	// more all the same.
	stop <-chan struct{}
	rate float64
}

var _ vegeta.Pacer = pacer{}

// Pace waits until the next request is due.
func (p pacer) Pace(time.Duration, uint64) (time.Duration, bool) {
	if _, more := <-p.due; !more {
		return 0, true
	}
	select {
	case <-p.stop:
		return 0, true
	default:
		return 0, false
	}
}

// Rate is in requests per second, as vegeta asks of a pacer.
func (p pacer) Rate(time.Duration) float64 { return p.rate }
