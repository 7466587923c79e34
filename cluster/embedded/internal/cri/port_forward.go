package cri

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// forwardPort connects a stream to a port of the pod's loopback interface.
func (s *Server) forwardPort(ctx context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	p, err := s.sandbox(id)
	if err != nil {
		return err
	}
	conn, err := p.dial(ctx, port)
	if err != nil {
		return fmt.Errorf("forward port %d of pod %s/%s: %w", port, p.config.GetMetadata().GetNamespace(), p.config.GetMetadata().GetName(), err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	go func() {
		_, _ = io.Copy(conn, stream)
		// The client has said all; the pod may still answer.
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	if _, err := io.Copy(stream, conn); err != nil {
		return fmt.Errorf("forward port %d of pod %s: %w", port, p.id, err)
	}
	return nil
}

// dial connects from inside the pod, by IPv4 and then, for programs that listen
// on it alone, by IPv6.
func (p *sandbox) dial(ctx context.Context, port int32) (net.Conn, error) {
	p.life.RLock()
	defer p.life.RUnlock()
	if p.stopped {
		return nil, status.Errorf(codes.FailedPrecondition, "pod sandbox %s is not running", p.id)
	}
	var conn net.Conn
	err := p.ns.Do(func() error {
		var errs []error
		for _, host := range []string{"127.0.0.1", "::1"} {
			// A literal address is dialled by the calling goroutine, so
			// the socket is born on this thread.
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
			if err == nil {
				conn = c
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	return conn, err
}
