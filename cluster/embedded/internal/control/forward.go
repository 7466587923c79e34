package control

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Relay accepts on l until ctx ends and joins each connection with one that
// dial makes. It adds and hides nothing: a half-close is passed on as one, and
// a reset of either side resets the other, so that a client can tell a refusal
// from an end.
func Relay(ctx context.Context, l net.Listener, dial func(context.Context) (net.Conn, error)) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		client, err := l.Accept()
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
	server := conn.(*net.TCPConn)
	var wg sync.WaitGroup
	wg.Go(func() { pipe(server, client) })
	wg.Go(func() { pipe(client, server) })
	wg.Wait()
	client.Close()
	server.Close()
}

// pipe copies until src ends. An orderly end is passed on as a half-close; any
// other end resets both, which also ends the opposite direction.
func pipe(dst, src *net.TCPConn) {
	if _, err := io.Copy(dst, src); err != nil {
		reset(src)
		reset(dst)
		src.Close()
		dst.Close()
		return
	}
	_ = dst.CloseWrite()
}

// reset makes the coming Close send RST instead of FIN.
func reset(c *net.TCPConn) { _ = c.SetLinger(0) }
