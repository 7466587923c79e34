package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/meshfed/meshfed/traffic/rawh2"
	"github.com/meshfed/meshfed/traffic/wire"
)

// Abuse speaks HTTP/2 on a connection of its own as no client should. What
// becomes of the marked request is the outcome, as that of Do. first is the
// host that rawh2.SecondHost asks for first.
func (e Edge) Abuse(ctx context.Context, a rawh2.Abuse, c Call, first string) (Outcome, error) {
	own, cancel := context.WithTimeout(ctx, cmp.Or(e.Timeout, defaultTimeout))
	defer cancel()
	start := time.Now()
	answer, err := e.frames(own, a, c, first)
	if ctx.Err() != nil {
		return Outcome{}, fmt.Errorf("request to %s: %w", e.Address, context.Cause(ctx))
	}
	o := framesOutcome(c, answer, err, time.Since(start))
	return o, nil
}

func (e Edge) frames(ctx context.Context, a rawh2.Abuse, c Call, first string) (rawh2.Answer, error) {
	e.ALPN = []string{"h2"}
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return rawh2.Answer{}, err
	}
	defer func() { _ = plain.Close() }()
	// Small, so that answers that nobody reads stay where they are made.
	if err := plain.(*net.TCPConn).SetReadBuffer(smallBuffer); err != nil {
		return rawh2.Answer{}, err
	}
	// The end of ctx must look like a time-out, as in Session.
	stop := context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	secured := tls.Client(plain, e.config())
	if err := secured.HandshakeContext(ctx); err != nil {
		return rawh2.Answer{}, err
	}
	return rawh2.Do(&hearing{Conn: secured, plain: plain.(*net.TCPConn)}, a, e.marked(c, first), wire.MaxBody)
}

const (
	// smallBuffer holds as much as any answer here, in bytes.
	smallBuffer = 4 << 10
	// largeBuffer holds what a flood's answers come to, in bytes; the kernel may
	// allow less.
	largeBuffer = 1 << 20
)

// hearing is a connection whose buffer is large from the first read on. Through a
// small one the answers to a flood, which are older than the end of the
// connection, take longer than there is time: whoever sent them into a closed
// window probes it more and more seldom.
type hearing struct {
	net.Conn
	plain *net.TCPConn
	once  sync.Once
}

func (h *hearing) Read(b []byte) (int, error) {
	var err error
	h.once.Do(func() { err = h.plain.SetReadBuffer(largeBuffer) })
	if err != nil {
		return 0, err
	}
	return h.Conn.Read(b)
}

func (e Edge) marked(c Call, first string) rawh2.Request {
	r := rawh2.Request{Method: cmp.Or(c.Method, "GET"), Target: c.Target, Host: cmp.Or(c.Host, e.Server.DNS), First: first}
	for _, f := range c.Header {
		r.Header = append(r.Header, rawh2.Field{Name: strings.ToLower(f.Name), Value: f.Value})
	}
	if c.Nonce != "" {
		r.Mark = []rawh2.Field{{Name: strings.ToLower(wire.HeaderNonce), Value: c.Nonce}}
	}
	return r
}

// framesOutcome is that of an answer, or of the frame that came instead.
func framesOutcome(c Call, answer rawh2.Answer, err error, took time.Duration) Outcome {
	result := wire.Result{Nonce: c.Nonce, Latency: took, Status: answer.Status, Headers: answer.Header, Body: string(answer.Body)}
	if answer.Status == 0 && answer.Ended != "" {
		return Outcome{Kind: Reset, Fault: wire.FaultReset, Frame: answer.Ended, Nonce: c.Nonce, Latency: took, Reason: fmt.Sprintf("%s, after %d frames", answer.Ended, answer.Sent)}
	}
	if err != nil {
		result.Fault, result.Detail = wire.FaultOf(err), fmt.Sprintf("%v, after %d frames", err, answer.Sent)
	}
	return Classify(result, alertOf(err), c.Want)
}
