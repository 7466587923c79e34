package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/meshfed/meshfed/traffic/rawhttp"
	"github.com/meshfed/meshfed/traffic/wire"
)

// errGone is why a Multiplexed does not connect again.
var errGone = errors.New("the connection is gone")

// Multiplexed is an Edge with one HTTP/2 connection. It never connects twice:
// what is asked is how long that very connection is served. It is safe for
// concurrent use.
type Multiplexed struct {
	edge   Edge
	client *http.Transport
	dialed atomic.Bool
	gone   atomic.Bool
}

// NewMultiplexed makes one that connects with its first request.
func NewMultiplexed(e Edge) *Multiplexed {
	m := &Multiplexed{edge: e}
	m.edge.ALPN = []string{"h2"}
	m.client = &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: m.dial}
	return m
}

func (m *Multiplexed) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if m.dialed.Swap(true) {
		m.gone.Store(true)
		return nil, fmt.Errorf("%w: %w", errGone, io.EOF)
	}
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.edge.Address)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(plain, m.edge.config())
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	return secured, nil
}

// Live says whether the connection may still serve.
func (m *Multiplexed) Live() bool { return !m.gone.Load() }

// Close closes the connection.
func (m *Multiplexed) Close() { m.client.CloseIdleConnections() }

// Do sends one request on the connection.
func (m *Multiplexed) Do(ctx context.Context, c Call) (Outcome, error) {
	own, cancel := context.WithTimeout(ctx, cmp.Or(m.edge.Timeout, defaultTimeout))
	defer cancel()
	start := time.Now()
	answer, err := m.exchange(own, c)
	if ctx.Err() != nil {
		return Outcome{}, fmt.Errorf("request to %s: %w", m.edge.Address, context.Cause(ctx))
	}
	return outcomeOf(c, answer, err, time.Since(start)), nil
}

func (m *Multiplexed) exchange(ctx context.Context, c Call) (rawhttp.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, cmp.Or(c.Method, http.MethodGet), "https://"+m.edge.Server.DNS+c.Target, nil)
	if err != nil {
		return rawhttp.Answer{}, err
	}
	r.Host = cmp.Or(c.Host, m.edge.Server.DNS)
	r.Header.Set(wire.HeaderNonce, c.Nonce)
	resp, err := m.client.RoundTrip(r)
	if err != nil {
		return rawhttp.Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody))
	return rawhttp.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, err
}
