package load

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// slack is how much the kernel may put off a waking to have several at once, in
// nanoseconds; it is 50 µs by itself. With half of it the generator is a third
// less late at p99; with none it is late by milliseconds more often.
const slack = 25_000

// precisely waits in the kernel, whose timers are good to some 50 µs.
func precisely(d time.Duration) {
	// It is a thread's own, and the thread may be another each time. Without it
	// the generator is as late as ever.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, slack, 0, 0, 0)
	for d > 0 {
		begun := time.Now()
		rest := unix.NsecToTimespec(d.Nanoseconds())
		if err := unix.Nanosleep(&rest, nil); err == nil {
			return
		} else if !errors.Is(err, unix.EINTR) {
			time.Sleep(d)
			return
		}
		d -= time.Since(begun)
	}
}
