package control

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Relay accepts on l until ctx ends and joins each connection with one that
// dial makes. It adds and hides nothing: a half-close is passed on as one, and
// a reset of either side resets the other after what was said before, so that a
// client can tell a refusal from an end. It closes l: where nobody accepts, a
// client is refused and does not hang.
func Relay(ctx context.Context, l net.Listener, dial func(context.Context) (net.Conn, error)) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for {
		client, err := accept(ctx, l)
		if err != nil {
			return
		}
		go relayOne(ctx, client.(*net.TCPConn), dial)
	}
}

func relayOne(ctx context.Context, client *net.TCPConn, dial func(context.Context) (net.Conn, error)) {
	dialCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
	conn, err := dial(dialCtx)
	cancel()
	front := &side{TCPConn: client}
	if err != nil {
		front.reset()
		front.Close()
		return
	}
	server := &side{TCPConn: conn.(*net.TCPConn)}
	var there, back error
	var wg sync.WaitGroup
	wg.Go(func() { there = pipe(server, front) })
	wg.Go(func() { back = pipe(front, server) })
	wg.Wait()
	if there != nil || back != nil {
		front.reset()
		server.reset()
	}
	front.Close()
	server.Close()
}

// pipe copies until src ends. An orderly end is passed on as a half-close, a
// reset at once as a reset.
//
// If dst does not take more, the other direction goes on: a server that has
// refused and closed has said why, and whoever ends both directions here takes
// the TLS alert from the client.
func pipe(dst, src *side) error {
	// Without their methods, io.Copy does not splice: a splice's error does not
	// say which of the two sides failed.
	_, err := io.Copy(struct{ io.Writer }{dst}, struct{ io.Reader }{src})
	if err == nil && src.wasReset() {
		err = syscall.ECONNRESET
	}
	if err == nil {
		dst.finish()
		return nil
	}
	var failed *net.OpError
	if !errors.As(err, &failed) || failed.Op != "write" {
		dst.reset()
		dst.Close()
	}
	return err
}

// side is one of the two connections of a relay.
type side struct {
	*net.TCPConn
	finished atomic.Bool
}

// finish half-closes.
func (s *side) finish() {
	s.finished.Store(true)
	_ = s.CloseWrite()
}

// wasReset tells a reset from an orderly end after a read that ended without
// an error. The kernel reports a reset once: if a write gets the report, the
// next read ends as after a FIN, but the connection has no peer any more. (After
// finish it has none in an orderly way, and no write can take the report.)
func (s *side) wasReset() bool {
	if s.finished.Load() {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	var peer error
	_ = raw.Control(func(fd uintptr) { _, peer = syscall.Getpeername(int(fd)) })
	return errors.Is(peer, syscall.ENOTCONN)
}

// reset makes the coming Close send RST instead of FIN. That would take back what
// was written and not yet received, so the other end is given time to receive it.
func (s *side) reset() {
	const (
		look  = 2 * time.Millisecond
		stuck = time.Second
		most  = 10 * time.Second
	)
	began := time.Now()
	moved, before := began, -1
	for now := began; now.Sub(moved) < stuck && now.Sub(began) < most; now = time.Now() {
		left := s.unreceived()
		if left == 0 {
			break
		}
		if left != before {
			moved, before = now, left
		}
		time.Sleep(look)
	}
	_ = s.SetLinger(0)
}

// unreceived is how many bytes the other end has not acknowledged; none where
// nobody is who could.
func (s *side) unreceived() (bytes int) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if _, gone := unix.Getpeername(int(fd)); gone == nil {
			bytes, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		}
	})
	return bytes
}
