package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/meshfed/meshfed/traffic/rawhttp"
	"github.com/meshfed/meshfed/traffic/wire"
)

// Session is an Edge with one connection that requests follow each other on.
// Withdrawn access must also end what was open before, and a thousand requests
// need not cost a thousand handshakes. It is not safe for concurrent use.
type Session struct {
	edge  Edge
	plain net.Conn
	conn  *rawhttp.Conn
	// resumed says that the connection goes on with an earlier TLS session.
	resumed bool
}

// open connects. What keeps it from connecting is for Do to classify: it is the
// outcome of the request that the session is opened for.
func (e Edge) open(ctx context.Context) (*Session, error) {
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return nil, err
	}
	s := &Session{edge: e, plain: plain}
	if e.Plaintext {
		s.conn = rawhttp.NewConn(plain, wire.MaxBody)
		return s, nil
	}
	secured := tls.Client(plain, e.config())
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	s.conn, s.resumed = rawhttp.NewConn(secured, wire.MaxBody), secured.ConnectionState().DidResume
	return s, nil
}

// NewSession makes a session that connects with its first request, and again
// when the other side has closed it after an answer.
func NewSession(e Edge) *Session { return &Session{edge: e} }

// Live says whether the session has a connection for another request.
func (s *Session) Live() bool { return s.conn != nil }

// Close closes the connection, if there is one.
func (s *Session) Close() {
	if s.plain != nil {
		_ = s.plain.Close()
	}
	s.plain, s.conn = nil, nil
}

// Do sends one request on the session's connection. What becomes of it is the
// outcome; the error is the caller's own, as that of Edge.Do.
func (s *Session) Do(ctx context.Context, c Call) (Outcome, error) { return s.do(ctx, c, false) }

// once asks the other side to close the connection after its answer.
func (s *Session) once(ctx context.Context, c Call) (Outcome, error) { return s.do(ctx, c, true) }

func (s *Session) do(ctx context.Context, c Call, last bool) (Outcome, error) {
	if s.edge.Server.DNS == "" && !s.edge.Plaintext {
		return Outcome{}, fmt.Errorf("request to %s: nobody to verify the server's certificate as", s.edge.Address)
	}
	own, cancel := context.WithTimeout(ctx, cmp.Or(s.edge.Timeout, defaultTimeout))
	defer cancel()
	start := time.Now()
	answer, err := s.exchange(own, c, last)
	if ctx.Err() != nil {
		s.Close()
		return Outcome{}, fmt.Errorf("request to %s: %w", s.edge.Address, context.Cause(ctx))
	}
	if err != nil || !answer.Reusable {
		s.Close()
	}
	o := outcomeOf(c, answer, err, time.Since(start))
	o.Resumed = s.resumed
	return o, nil
}

func (s *Session) exchange(ctx context.Context, c Call, last bool) (rawhttp.Answer, error) {
	if s.conn == nil {
		s.resumed = false
		fresh, err := s.edge.open(ctx)
		if err != nil {
			return rawhttp.Answer{}, err
		}
		s.plain, s.conn, s.resumed = fresh.plain, fresh.conn, fresh.resumed
	}
	plain := s.plain
	// The end of ctx must look like a time-out. Closing the connection
	// instead would look as if the other side had closed it.
	stop := context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r := s.edge.request(c)
	r.Close = last
	return s.conn.Do(r)
}

func outcomeOf(c Call, answer rawhttp.Answer, err error, took time.Duration) Outcome {
	result := wire.Result{Nonce: c.Nonce, Latency: took, Status: answer.Status, Headers: answer.Header, Body: string(answer.Body)}
	if err != nil {
		result.Fault, result.Detail = wire.FaultOf(err), err.Error()
	}
	return Classify(result, alertOf(err), c.Want)
}
