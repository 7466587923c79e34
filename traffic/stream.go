package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/meshfed/meshfed/traffic/wire"
)

// Stream is an Edge with one answer that does not end: each Do reads the next
// byte of it. It is not safe for concurrent use.
type Stream struct {
	edge    Edge
	conn    net.Conn
	client  *http.Transport
	answer  *http.Response
	outcome Outcome
	over    bool
}

// NewStream makes one that asks with its first Do. The call must be for
// something that is answered little by little.
func NewStream(e Edge) *Stream {
	s := &Stream{edge: e}
	s.edge.ALPN = []string{"http/1.1"}
	s.client = &http.Transport{DialTLSContext: s.dial}
	return s
}

func (s *Stream) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.edge.Address)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(plain, s.edge.config())
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	s.conn = plain
	return secured, nil
}

// Live says whether more may come.
func (s *Stream) Live() bool { return !s.over }

// Close ends it.
func (s *Stream) Close() {
	s.over = true
	if s.answer != nil {
		_ = s.answer.Body.Close()
	}
	s.client.CloseIdleConnections()
}

// Do asks, the first time, and reads a byte. It is served as long as bytes
// come. The call of all but the first time does not matter.
func (s *Stream) Do(ctx context.Context, c Call) (Outcome, error) {
	start := time.Now()
	if s.answer == nil {
		if err := s.ask(ctx, c, start); err != nil || s.over {
			return s.outcome, err
		}
	}
	if err := s.conn.SetReadDeadline(start.Add(cmp.Or(s.edge.Timeout, defaultTimeout))); err != nil {
		return Outcome{}, fmt.Errorf("stream from %s: %w", s.edge.Address, err)
	}
	var one [1]byte
	if _, err := io.ReadFull(s.answer.Body, one[:]); err != nil {
		s.over = true
		if ctx.Err() != nil {
			return Outcome{}, fmt.Errorf("stream from %s: %w", s.edge.Address, context.Cause(ctx))
		}
		result := wire.Result{Nonce: c.Nonce, Latency: time.Since(start), Fault: wire.FaultOf(err), Detail: err.Error()}
		return Classify(result, alertOf(err), c.Want), nil
	}
	return s.outcome, nil
}

func (s *Stream) ask(ctx context.Context, c Call, start time.Time) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.edge.Server.DNS+c.Target, nil)
	if err != nil {
		return err
	}
	r.Host = cmp.Or(c.Host, s.edge.Server.DNS)
	r.Header.Set(wire.HeaderNonce, c.Nonce)
	result := wire.Result{Nonce: c.Nonce}
	s.answer, err = s.client.RoundTrip(r) //nolint:bodyclose // the stream's Close closes it
	if ctx.Err() != nil {
		return fmt.Errorf("stream from %s: %w", s.edge.Address, context.Cause(ctx))
	}
	result.Latency = time.Since(start)
	if err != nil {
		result.Fault, result.Detail = wire.FaultOf(err), err.Error()
	} else {
		result.Status, result.Headers = s.answer.StatusCode, s.answer.Header
	}
	s.outcome = Classify(result, alertOf(err), c.Want)
	s.over = s.outcome.Kind != Allowed
	return nil
}
