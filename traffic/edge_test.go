package traffic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/traffic/rawhttp"
	"github.com/meshfed/meshfed/traffic/wire"
)

// gateway is a TLS server that trusts an authority's clients and answers as a
// fixture would.
type gateway struct {
	authority *pki.Authority
	address   string
	// config may be changed until the first connection.
	config *tls.Config
}

func newGateway(t *testing.T, version uint16, leaf pki.Leaf) gateway {
	t.Helper()
	authority, err := pki.New(pki.Options{})
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(wire.HeaderService, "reviews")
		w.Header().Set(wire.HeaderNonce, r.Header.Get(wire.HeaderNonce))
		_, _ = io.WriteString(w, r.Host+" "+r.RequestURI+" "+r.TLS.ServerName)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{*certificate(t, authority, leaf)}, MinVersion: tls.VersionTLS12, MaxVersion: version,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool(),
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return gateway{authority, server.Listener.Addr().String(), server.TLS}
}

func certificate(t *testing.T, a *pki.Authority, l pki.Leaf) *tls.Certificate {
	t.Helper()
	c, err := a.Issue(l)
	require.NoError(t, err)
	pair, err := c.TLS()
	require.NoError(t, err)
	return &pair
}

func (g gateway) client(identity *tls.Certificate) Edge {
	return Edge{Address: g.address, Identity: identity, Server: Server{Roots: g.authority.Pool(), DNS: pki.Host("c2"), URI: pki.IngressIdentity("c2")}}
}

func do(t *testing.T, e Edge, c Call) Outcome {
	t.Helper()
	o, err := e.Do(t.Context(), c)
	require.NoError(t, err)
	return o
}

func TestACallIsSentAsItStands(t *testing.T) {
	g := newGateway(t, 0, pki.Ingress("c2"))
	e := g.client(certificate(t, g.authority, pki.Egress("c1")))
	o := do(t, e, Call{Target: "/x/..%2fadmin", Host: "other.example", Nonce: "n", Header: []rawhttp.Field{{Name: "x-role", Value: "a"}}})
	require.Equal(t, Allowed, o.Kind, o.String())
	require.Equal(t, "other.example /x/..%2fadmin c2.example.com", o.Body)
	require.Positive(t, o.Latency)

	e.SNI = "hello.example"
	require.Equal(t, "c2.example.com / hello.example", do(t, e, Call{Target: "/"}).Body)
	e.NoSNI = true
	require.Equal(t, "c2.example.com / ", do(t, e, Call{Target: "/"}).Body)
}

func TestAResumedSessionIsToldFromANewOne(t *testing.T) {
	for _, c := range []struct{ disabled, offered, want bool }{{want: true, offered: true}, {offered: true, disabled: true}, {}} {
		g := newGateway(t, 0, pki.Ingress("c2"))
		g.config.SessionTicketsDisabled = c.disabled
		e := g.client(certificate(t, g.authority, pki.Egress("c1")))
		if c.offered {
			e.Tickets = tls.NewLRUClientSessionCache(1)
		}
		require.False(t, do(t, e, Call{Target: "/"}).Resumed, "there is no session yet")
		again := do(t, e, Call{Target: "/"})
		require.Equal(t, Allowed, again.Kind, again.String())
		require.Equal(t, c.want, again.Resumed, "%+v", c)
	}
}

func TestARefusedClientSeesWhichAlertRefusedIt(t *testing.T) {
	now := time.Now()
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, version, pki.Ingress("c2"))
			impostor, err := pki.New(pki.Options{})
			require.NoError(t, err)
			// With TLS 1.2 there is no alert of its own for it.
			required := map[uint16]TLSAlert{tls.VersionTLS12: "handshake_failure", tls.VersionTLS13: "certificate_required"}[version]
			for _, c := range []struct {
				who  string
				cert *tls.Certificate
				want TLSAlert
			}{
				{"nobody", nil, required},
				{"an impostor", certificate(t, impostor, pki.Egress("c1")), "unknown_ca"},
				{"expired", certificate(t, g.authority, pki.Egress("c1").Expired(now)), "certificate_expired"},
			} {
				o := do(t, g.client(c.cert), Call{Target: "/"})
				require.Equal(t, HandshakeRefused, o.Kind, "%s: %s", c.who, o)
				require.Equal(t, c.want, o.Alert, c.who)
			}
		})
	}
}

func TestAServerThatIsNotTheExpectedOneIsNeverTrusted(t *testing.T) {
	g := newGateway(t, 0, pki.Ingress("c3"))
	identity := certificate(t, g.authority, pki.Egress("c1"))
	other, err := pki.New(pki.Options{})
	require.NoError(t, err)
	right := Server{Roots: g.authority.Pool(), DNS: pki.Host("c3"), URI: pki.IngressIdentity("c3")}
	require.Equal(t, Allowed, do(t, Edge{Address: g.address, Identity: identity, Server: right}, Call{Target: "/"}).Kind)
	for name, change := range map[string]func(*Server){
		"another name":      func(s *Server) { s.DNS = pki.Host("c2") },
		"another URI":       func(s *Server) { s.URI = pki.IngressIdentity("c2") },
		"another authority": func(s *Server) { s.Roots = other.Pool() },
		"no authority":      func(s *Server) { s.Roots = nil },
	} {
		t.Run(name, func(t *testing.T) {
			server := right
			change(&server)
			o := do(t, Edge{Address: g.address, Identity: identity, Server: server, SNI: pki.Host("c3")}, Call{Target: "/"})
			require.Equal(t, WrongBackend, o.Kind, o.String())
			require.Zero(t, o.Alert)
		})
	}
}

func TestAServerWithTwoURIsOrAClientsCertificateIsRefused(t *testing.T) {
	for name, leaf := range map[string]pki.Leaf{
		"two URIs":             pki.Ingress("c2").With(false, pki.SAN{Kind: pki.URI, Value: "spiffe://evil"}),
		"a client certificate": pki.Ingress("c2").For(x509.ExtKeyUsageClientAuth),
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, 0, leaf)
			o := do(t, g.client(certificate(t, g.authority, pki.Egress("c1"))), Call{Target: "/"})
			require.Equal(t, WrongBackend, o.Kind, o.String())
		})
	}
}

// listener serves each connection with f, on loopback.
func listener(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go f(c)
		}
	}()
	return l.Addr().String()
}

func TestAConnectionThatIsCutHasItsKind(t *testing.T) {
	closed := listener(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_ = c.Close()
	})
	reset := listener(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	})
	silent := listener(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	for name, c := range map[string]struct {
		address string
		plain   bool
		kind    Kind
		fault   wire.Fault
	}{
		"closed in the handshake":   {closed, false, Reset, wire.FaultClosed},
		"closed without an answer":  {closed, true, Reset, wire.FaultClosed},
		"reset in the handshake":    {reset, false, Reset, wire.FaultReset},
		"reset without an answer":   {reset, true, Reset, wire.FaultReset},
		"silence in the handshake":  {silent, false, TimedOut, wire.FaultTimeout},
		"silence after the request": {silent, true, TimedOut, wire.FaultTimeout},
		"nobody listens":            {gone.Addr().String(), false, Unreachable, wire.FaultRefused},
	} {
		t.Run(name, func(t *testing.T) {
			o := do(t, Edge{Address: c.address, Server: Server{DNS: "c2.example.com"}, Plaintext: c.plain, Timeout: 200 * time.Millisecond}, Call{Target: "/", Host: "h"})
			require.Equal(t, c.kind, o.Kind, o.String())
			require.Equal(t, c.fault, o.Fault, o.String())
		})
	}
}

func TestTheEndOfTheCallersContextIsAnErrorAndNoOutcome(t *testing.T) {
	silent := listener(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(30*time.Millisecond, func() { cancel(interrupted) })
	_, err := Edge{Address: silent, Plaintext: true}.Do(ctx, Call{Target: "/", Host: "h"})
	require.ErrorIs(t, err, interrupted)
}

func TestAClientThatVerifiesNobodySendsNothing(t *testing.T) {
	_, err := Edge{Address: "127.0.0.1:1"}.Do(t.Context(), Call{Target: "/"})
	require.ErrorContains(t, err, "nobody to verify")
}
