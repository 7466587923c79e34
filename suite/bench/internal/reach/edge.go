package reach

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/rawh2"
)

// patience with one request. Nothing in a lab takes longer but silence.
const patience = 3 * time.Second

// Edge implements steps.Meshes. Each request has a connection of its own.
func (r *Reach) Edge(ctx context.Context, mesh string, as steps.Caller, q steps.Request) (traffic.Outcome, error) {
	if as.Earlier != "" {
		return r.resumed(ctx, mesh, as, q)
	}
	edge, err := r.edge(ctx, mesh, as)
	if err != nil {
		return traffic.Outcome{}, err
	}
	return edge.Do(ctx, call(mesh, as, q))
}

// Abuse implements steps.Meshes.
func (r *Reach) Abuse(ctx context.Context, mesh string, as steps.Caller, q steps.Request, a rawh2.Abuse) (traffic.Outcome, error) {
	edge, err := r.edge(ctx, mesh, as)
	if err != nil {
		return traffic.Outcome{}, err
	}
	return edge.Abuse(ctx, a, call(mesh, as, q), pki.Host(mesh))
}

// edge is a client of a mesh's gateway that is who the caller is.
func (r *Reach) edge(ctx context.Context, mesh string, as steps.Caller) (traffic.Edge, error) {
	address, err := r.gateway(ctx, mesh)
	if err != nil {
		return traffic.Edge{}, err
	}
	identity, err := r.certificate(as)
	if err != nil {
		return traffic.Edge{}, err
	}
	return traffic.Edge{
		Address:  address.Harness,
		Identity: identity,
		Server:   traffic.Server{Roots: r.roots, DNS: pki.Host(mesh), URI: pki.IngressIdentity(mesh)},
		SNI:      as.SNI, NoSNI: as.NoSNI, Plaintext: as.Credentials == steps.Plaintext, Old: as.Old,
		ALPN: protocols(as), Timeout: patience,
	}, nil
}

// protocols are those that the caller offers. Sidecars know each other by theirs.
func protocols(as steps.Caller) []string {
	if as.Sidecar {
		return []string{"istio-peer-exchange", "istio"}
	}
	return []string{"http/1.1"}
}

func call(mesh string, as steps.Caller, q steps.Request) traffic.Call {
	return traffic.Call{Method: q.Method, Target: q.URL, Host: cmp.Or(as.Host, pki.Host(mesh)), Nonce: q.Nonce, Header: q.Header, Tail: q.Tail}
}

// certificate is what a caller brings; nil is none.
func (r *Reach) certificate(as steps.Caller) (*tls.Certificate, error) {
	authorities := map[steps.Credentials]*pki.Authority{steps.Own: r.own, steps.Impostor: r.impostor}
	authority, has := authorities[as.Credentials]
	if !has {
		return nil, nil
	}
	if as.Authority != "" {
		authority = r.alone[as.Authority]
	}
	if authority == nil {
		return nil, fmt.Errorf("certificate of %s: %q has no authority of its own", as.Mesh, as.Authority)
	}
	if as.Form != "" {
		// Anew each time: what is wrong with it may pass with time.
		return issued(authority, as)
	}
	key := steps.Caller{Credentials: as.Credentials, Mesh: as.Mesh, Authority: as.Authority}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, known := r.certificates[key]; known {
		return c, nil
	}
	c, err := issued(authority, as)
	if err == nil {
		r.certificates[key] = c
	}
	return c, err
}

func issued(authority *pki.Authority, as steps.Caller) (*tls.Certificate, error) {
	credential, err := forge(authority, as)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", as.Mesh, err)
	}
	certificate, err := credential.TLS()
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", as.Mesh, err)
	}
	return &certificate, nil
}

// Serial implements steps.Meshes.
func (r *Reach) Serial(as steps.Caller) (*big.Int, error) {
	c, err := r.certificate(as)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fmt.Errorf("a caller with %q brings no certificate", as.Credentials)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", as.Mesh, err)
	}
	return leaf.SerialNumber, nil
}
