package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic/rawhttp"
	"github.com/meshfed/meshfed/traffic/wire"
)

// patience with one request. Nothing in a lab takes longer but silence.
const patience = 3 * time.Second

// Edge implements steps.Meshes. Each request has a connection of its own.
func (r *Reach) Edge(ctx context.Context, mesh string, as steps.Caller, q steps.Request) (steps.Answer, error) {
	address, err := r.gateway(ctx, mesh)
	if err != nil {
		return steps.Answer{}, err
	}
	config, err := r.tlsConfig(mesh, as)
	if err != nil {
		return steps.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := exchange(ctx, address.Harness, config, rawhttp.Request{
		Method: q.Method, Target: q.URL, Host: or(as.Host, pki.Host(mesh)), Close: true,
		Header: []rawhttp.Field{{Name: wire.HeaderNonce, Value: q.Nonce}},
	})
	result := wire.Result{Nonce: q.Nonce, Status: answer.Status, Headers: answer.Header, Body: string(answer.Body)}
	if err != nil {
		result.Fault, result.Detail = wire.FaultOf(err), err.Error()
	}
	return judge(result), nil
}

// exchange dials, shakes hands if config is not nil, and sends one request.
func exchange(ctx context.Context, address string, config *tls.Config, q rawhttp.Request) (rawhttp.Answer, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return rawhttp.Answer{}, err
	}
	defer func() { _ = conn.Close() }()
	// An interrupt must not wait for the other side.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if config != nil {
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return rawhttp.Answer{}, err
		}
		conn = secure
	}
	return rawhttp.NewConn(conn, wire.MaxBody).Do(q)
}

// tlsConfig is nil for plaintext. The server is verified against the name of
// its gateway, whatever SNI is sent.
func (r *Reach) tlsConfig(mesh string, as steps.Caller) (*tls.Config, error) {
	if as.Credentials == steps.Plaintext {
		return nil, nil
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		ServerName: or(as.SNI, pki.Host(mesh)),
		// Verification by ServerName is replaced, not dropped: see below.
		InsecureSkipVerify: true,
		VerifyConnection:   func(state tls.ConnectionState) error { return verify(state, r.roots, pki.Host(mesh)) },
	}
	if as.NoSNI {
		config.ServerName = ""
	}
	if as.Credentials == steps.NoCertificate {
		return config, nil
	}
	certificate, err := r.certificate(as)
	if err != nil {
		return nil, err
	}
	// Not Certificates: from those a client picks only what the server asks
	// for by name, and would keep an impostor's to itself.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	return config, nil
}

func verify(state tls.ConnectionState, roots *x509.CertPool, host string) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server has no certificate")
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: host})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

func (r *Reach) certificate(as steps.Caller) (tls.Certificate, error) {
	key := steps.Caller{Credentials: as.Credentials, Mesh: as.Mesh}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, known := r.certificates[key]; known {
		return c, nil
	}
	authority := r.own
	if as.Credentials == steps.Impostor {
		authority = r.impostor
	}
	credential, err := authority.Issue(pki.Egress(as.Mesh))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate of %s: %w", as.Mesh, err)
	}
	certificate, err := credential.TLS()
	if err == nil {
		r.certificates[key] = certificate
	}
	return certificate, err
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
