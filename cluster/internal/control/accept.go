package control

import (
	"context"
	"errors"
	"net"
	"time"
)

// The pause after an accept that failed doubles from the first to the longest.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = 100 * time.Millisecond
)

// accept is l.Accept for a listener that is to serve until ctx ends or somebody
// closes it. Any other error passes: a machine that is out of files or memory for
// a moment has them again when others close theirs, and until then the kernel
// keeps those who connect in l's queue.
func accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		conn, err := l.Accept()
		if err == nil || ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}
