package load

import (
	"runtime"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// schedule is a constant rate that remembers when it began. Vegeta stamps a
// request when a worker takes it, and so hides the time that it waited for one.
type schedule struct {
	period time.Duration
	count  uint64
	// stop, once closed, ends it: an attacker that is told to stop may send some
	// more all the same.
	stop <-chan struct{}
	// sleep waits until a request is due; then the attacker need not, who would
	// by the language's own clock.
	sleep sleeper

	once  sync.Once
	began time.Time
}

var _ vegeta.Pacer = (*schedule)(nil)

// Pace waits until the next request is due; it stops after count, or when it is
// told to.
func (s *schedule) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	s.once.Do(func() { s.began = time.Now().Add(-elapsed) })
	if hits >= s.count || s.stopped() {
		return 0, true
	}
	// The worker that has just been given a request runs here and now, instead
	// of waiting for another thread to wake up and fetch it.
	runtime.Gosched()
	elapsed = time.Since(s.began)
	// A stop must not wait for a request that is due in a minute.
	for {
		wait := time.Duration(hits)*s.period - elapsed
		if wait <= 0 {
			return 0, false
		}
		s.sleep(min(wait, longestNap))
		elapsed = time.Since(s.began)
		if s.stopped() {
			return 0, true
		}
	}
}

// longestNap bounds how long a stop may go unheard.
const longestNap = 100 * time.Millisecond

func (s *schedule) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// Rate is in requests per second, as vegeta asks of a pacer.
func (s *schedule) Rate(time.Duration) float64 { return float64(time.Second) / float64(s.period) }

// meant is the moment at which request seq, from 0, was to be sent.
func (s *schedule) meant(seq uint64) time.Time {
	return s.began.Add(time.Duration(seq) * s.period)
}
