package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/control"
)

func serve(t *testing.T, h control.Handler) string {
	t.Helper()
	l := listenUnix(t)
	serveOn(t, l, h)
	return l.Addr().String()
}

func listenUnix(t *testing.T) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unixpacket"})
	require.NoError(t, err)
	return l
}

func serveOn(t *testing.T, l net.Listener, h control.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- control.Serve(ctx, l, h) }()
	t.Cleanup(func() { cancel(); assert.NoError(t, <-done) })
}

func TestARefusalReachesTheCaller(t *testing.T) {
	socket := serve(t, func(context.Context, control.Request, *os.File) error { return errors.New("no cluster c9") })
	assert.ErrorContains(t, control.Call(t.Context(), socket, control.Request{Op: control.Detach}, nil), "no cluster c9")
}

func TestNoLabBehindTheSocketIsAnError(t *testing.T) {
	assert.Error(t, control.Call(t.Context(), filepath.Join(t.TempDir(), "none"), control.Request{Op: control.Detach}, nil))
}

func TestAHandedOverListenerIsServedByTheLab(t *testing.T) {
	backend := echoServer(t)
	socket := serve(t, func(ctx context.Context, r control.Request, f *os.File) error {
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return err
		}
		go control.Relay(ctx, l, func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", r.Target)
		})
		return nil
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	require.NoError(t, control.Call(t.Context(), socket, control.Request{Op: control.Forward, Target: backend}, f))
	f.Close()
	l.Close()

	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	b, err := io.ReadAll(conn)
	require.NoError(t, err, "the half-close came back as an orderly end")
	assert.Equal(t, "hello", string(b))
}

func TestAResetComesThroughTheRelayAsAReset(t *testing.T) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer backend.Close()
	go func() {
		c, err := backend.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}()
	front := relayTo(t, backend)
	conn, err := net.Dial("tcp", front.String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("x"))
	require.NoError(t, err)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "connection reset by peer")
}

func TestTheLastWordsOfAServerThatResetsComeThroughTheRelay(t *testing.T) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer backend.Close()
	dialled, said, asked := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		c, err := backend.Accept()
		if err != nil {
			return
		}
		<-dialled
		_, _ = c.Write([]byte("refused"))
		reset := c.(*net.TCPConn)
		_ = reset.SetLinger(0)
		reset.Close()
		close(said)
	}()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go control.Relay(t.Context(), front, func(context.Context) (net.Conn, error) {
		c, err := net.Dial("tcp", backend.Addr().String())
		close(dialled)
		// The relay finds at once the words, the reset, and a request to pass on.
		<-said
		<-asked
		return c, err
	})
	conn, err := net.Dial("tcp", front.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("request"))
	require.NoError(t, err)
	close(asked)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, err := io.ReadAll(conn)
	assert.Equal(t, "refused", string(b))
	assert.ErrorContains(t, err, "connection reset by peer")
}

// A client that is slow to read has not got yet what the relay wrote before the
// reset: its report was once lost so, on a busy machine.
func TestASlowClientGetsAllThatWasSaidBeforeTheReset(t *testing.T) {
	said := bytes.Repeat([]byte("x"), 64<<10)
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer backend.Close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		c, err := backend.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 1))
		_, _ = c.Write(said)
		assert.Eventually(t, func() bool { return unacknowledged(t, c) == 0 }, 5*time.Second, time.Millisecond)
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}()
	front := relayTo(t, backend)
	narrow := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
	}}
	conn, err := narrow.DialContext(t.Context(), "tcp", front.String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("?"))
	require.NoError(t, err)
	<-over
	time.Sleep(100 * time.Millisecond) // not on the processor
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, err := io.ReadAll(conn)
	assert.Equal(t, len(said), len(b))
	assert.ErrorContains(t, err, "connection reset by peer")
}

// relayTo is where a relay to that listener accepts.
func relayTo(t *testing.T, backend net.Listener) net.Addr {
	t.Helper()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go control.Relay(t.Context(), front, func(context.Context) (net.Conn, error) {
		return net.Dial("tcp", backend.Addr().String())
	})
	return front.Addr()
}

func unacknowledged(t *testing.T, c net.Conn) int {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	var n int
	require.NoError(t, raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }))
	require.NoError(t, err)
	return n
}

// full is a listener of a process that has no file left, a number of times.
type full struct {
	net.Listener
	times atomic.Int32
}

func (l *full) Accept() (net.Conn, error) {
	if l.times.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func fullFor(l net.Listener, times int32) *full {
	f := &full{Listener: l}
	f.times.Store(times)
	return f
}

func TestAForwardOutlivesAMomentWithoutFiles(t *testing.T) {
	backend := echoServer(t)
	front, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go control.Relay(t.Context(), fullFor(front, 2), func(context.Context) (net.Conn, error) {
		return net.Dial("tcp", backend)
	})
	conn, err := net.Dial("tcp", front.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	b := make([]byte, 5)
	_, err = io.ReadFull(conn, b)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
}

func TestALabOutlivesAMomentWithoutFiles(t *testing.T) {
	l := listenUnix(t)
	serveOn(t, fullFor(l, 2), func(context.Context, control.Request, *os.File) error { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	assert.NoError(t, control.Call(ctx, l.Addr().String(), control.Request{Op: control.Detach}, nil))
}

func TestAForwardThatEndsWithoutFilesLeavesNoListener(t *testing.T) {
	front, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		control.Relay(ctx, fullFor(front, math.MaxInt32), nil)
	}()
	cancel()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the relay goes on after its context's end")
	}
	_, err = net.Dial("tcp", front.Addr().String())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}
