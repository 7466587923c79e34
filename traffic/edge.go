package traffic

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/meshfed/meshfed/traffic/rawhttp"
	"github.com/meshfed/meshfed/traffic/wire"
)

// defaultTimeout bounds one request, its connection included.
const defaultTimeout = 5 * time.Second

// Edge is a client outside the meshes that knocks at a gateway. Its zero
// fields: no certificate, TLS with the SNI of Server. It is safe for concurrent
// use, and every request has a connection of its own.
type Edge struct {
	// Address is the host:port to dial (cluster.GatewayAddress.Harness).
	Address string
	// Identity is the client certificate. It is sent whatever issuers the
	// server says it accepts; nil sends none.
	Identity *tls.Certificate
	// Server is whom the gateway's certificate must be of.
	Server Server
	// SNI is sent instead of Server.DNS; NoSNI sends none.
	SNI   string
	NoSNI bool
	// Plaintext speaks HTTP without TLS.
	Plaintext bool
	// Old speaks TLS 1.1 and nothing newer.
	Old bool
	// ALPN is offered if it is not empty. The request is HTTP/1.1 always.
	ALPN []string
	// Tickets resumes TLS sessions if it is not nil.
	Tickets tls.ClientSessionCache
	// Timeout bounds one request with its connection; 0 means 5 s.
	Timeout time.Duration
}

// Call is one request to send. It is written as it stands.
type Call struct {
	// Method is GET if it is empty.
	Method string
	// Target is the request target, raw: "/public#/../admin".
	Target string
	// Host is the authority; Server.DNS if it is empty.
	Host   string
	Header []rawhttp.Field
	Body   []byte
	// Tail follows the body as it stands, and no Content-Length counts it.
	Tail  []byte
	Nonce string
	// Want is who should answer. The zero value accepts any fixture.
	Want Backend
}

// Do sends one request. What becomes of it is the outcome; the error is the
// caller's own: ctx ended, or the call cannot be made.
func (e Edge) Do(ctx context.Context, c Call) (Outcome, error) {
	s := NewSession(e)
	defer s.Close()
	return s.once(ctx, c)
}

func (e Edge) request(c Call) rawhttp.Request {
	header := c.Header
	if c.Nonce != "" {
		header = append([]rawhttp.Field{{Name: wire.HeaderNonce, Value: c.Nonce}}, header...)
	}
	return rawhttp.Request{
		Method: cmp.Or(c.Method, http.MethodGet), Target: c.Target, Host: cmp.Or(c.Host, e.Server.DNS),
		Header: header, Body: c.Body, Tail: c.Tail,
	}
}

func (e Edge) config() *tls.Config {
	config := &tls.Config{
		ServerName: cmp.Or(e.SNI, e.Server.DNS),
		NextProtos: e.ALPN,

		ClientSessionCache: e.Tickets,
		MinVersion:         tls.VersionTLS12,
		// Go verifies the name that it sends. Here the two differ on purpose,
		// so the whole verification is done in VerifyConnection.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection:   e.Server.verify,
	}
	if e.NoSNI {
		config.ServerName = ""
	}
	if e.Old {
		config.MinVersion, config.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	}
	if e.Identity != nil {
		// From Certificates, Go sends only one whose issuer the server names:
		// with an impostor's no attack would be made.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return e.Identity, nil }
	}
	return config
}

var errNoCertificate = errors.New("the server sent no certificate")
