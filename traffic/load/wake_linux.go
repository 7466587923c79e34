package load

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// precisely waits in the kernel, whose timers are good to some 50 µs.
func precisely(d time.Duration) {
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
