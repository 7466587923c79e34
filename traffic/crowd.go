package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Habit is the closed set of what a crowd's connections do: as little as they
// can, so that many of them can be held at once.
type Habit string

// The habits.
const (
	// Silent connects and says nothing, so that nobody knows who it is.
	Silent Habit = "say nothing"
	// Idle shows its certificate and asks for nothing.
	Idle Habit = "ask for nothing"
	// Slow sends the head of a request a few bytes at a time (slowloris).
	Slow Habit = "send a head byte by byte"
)

// Crowd is many connections to one gateway that are held open.
type Crowd struct {
	end   context.CancelFunc
	over  sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
	gone  atomic.Int64
}

const (
	// gathering is how many connections are made at once.
	gathering = 16
	// slowPause is between two bytes of a slow head. Tools of this kind wait ten
	// seconds. With half a second two thousand of them sent four thousand bytes a
	// second, each in a record of its own: on a machine that was busy the crowd
	// itself was the load, and no attack that costs its maker nothing.
	slowPause = 2 * time.Second
)

// slowHead is what a slow connection begins its head with; it never ends it.
const slowHead = "GET / HTTP/1.1\r\nHost: c2.example.com\r\nX-Slow: "

// Gather opens n connections. The error is the caller's own or the first one
// of connecting: a crowd that is smaller than wanted would prove less than is
// said.
func (e Edge) Gather(ctx context.Context, n int, habit Habit) (*Crowd, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c := &Crowd{end: end}
	openers, opening := errgroup.WithContext(ctx)
	openers.SetLimit(gathering)
	for range n {
		openers.Go(func() error {
			conn, err := e.join(opening, habit)
			if err != nil {
				return err
			}
			c.add(life, conn, habit)
			return nil
		})
	}
	if err := openers.Wait(); err != nil {
		have := c.Open()
		c.Close()
		return nil, fmt.Errorf("gather %d connections to %s that %s: after %d: %w", n, e.Address, habit, have, err)
	}
	return c, nil
}

func (e Edge) join(ctx context.Context, habit Habit) (net.Conn, error) {
	own, cancel := context.WithTimeout(ctx, cmp.Or(e.Timeout, defaultTimeout))
	defer cancel()
	plain, err := (&net.Dialer{}).DialContext(own, "tcp", e.Address)
	if err != nil || habit == Silent {
		return plain, err
	}
	secured := tls.Client(plain, e.config())
	if err := secured.HandshakeContext(own); err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return secured, nil
}

func (c *Crowd) add(life context.Context, conn net.Conn, habit Habit) {
	c.mu.Lock()
	c.conns = append(c.conns, conn)
	c.mu.Unlock()
	// Whatever is read, only the end of the reading counts: that the other
	// side has closed it.
	c.over.Go(func() {
		_, _ = io.Copy(io.Discard, conn)
		c.gone.Add(1)
	})
	if habit == Slow {
		c.over.Go(func() { dawdle(life, conn) })
	}
}

func dawdle(life context.Context, conn net.Conn) {
	text := []byte(slowHead)
	tick := time.NewTicker(slowPause)
	defer tick.Stop()
	for {
		if _, err := conn.Write(text); err != nil {
			return
		}
		text = []byte("a")
		select {
		case <-life.Done():
			return
		case <-tick.C:
		}
	}
}

// Open is how many of the connections the other side has not closed.
func (c *Crowd) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns) - int(c.gone.Load())
}

// Close closes all of them and returns when nothing of the crowd runs.
func (c *Crowd) Close() {
	c.end()
	c.mu.Lock()
	for _, conn := range c.conns {
		// A TLS connection would wait to say that it closes.
		_ = under(conn).Close()
	}
	c.mu.Unlock()
	c.over.Wait()
}

func under(conn net.Conn) net.Conn {
	if secured, is := conn.(*tls.Conn); is {
		return secured.NetConn()
	}
	return conn
}
