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
)

// Relay accepts on l until ctx ends and joins each connection with one that
// dial makes. It adds and hides nothing: a half-close is passed on as one, and
// a reset of either side resets the other, so that a client can tell a refusal
// from an end. It closes l: where nobody accepts, a client is refused and does
// not hang.
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
	if err != nil {
		reset(client)
		client.Close()
		return
	}
	server := &side{TCPConn: conn.(*net.TCPConn)}
	front := &side{TCPConn: client}
	var there, back error
	var wg sync.WaitGroup
	wg.Go(func() { there = pipe(server, front) })
	wg.Go(func() { back = pipe(front, server) })
	wg.Wait()
	if there != nil || back != nil {
		reset(client)
		reset(server.TCPConn)
	}
	client.Close()
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
		reset(dst.TCPConn)
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

// reset makes the coming Close send RST instead of FIN.
func reset(c *net.TCPConn) { _ = c.SetLinger(0) }
