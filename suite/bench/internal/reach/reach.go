// Package reach sends the requests of scenarios and sees them arrive: at the
// gateways from outside all meshes, and from Bookinfo's workloads through what
// the fixtures' program offers over exec. It judges no scenario.
package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/link"
)

// Mesh is what is needed of one mesh.
type Mesh struct {
	Cluster cluster.Cluster
	Pods    *workload.Client
}

// Reach implements steps.Meshes. It is safe for concurrent use.
type Reach struct {
	meshes map[string]Mesh
	// own issues the certificates that gateways trust; impostor has the same
	// names and another key.
	own, impostor *pki.Authority
	// alone are the meshes' own authorities, by mesh.
	alone map[string]*pki.Authority
	roots *x509.CertPool
	// jobs says that load is sent by Jobs and not by exec.
	jobs bool

	mu           sync.Mutex
	addresses    map[string]cluster.GatewayAddress
	certificates map[steps.Caller]*tls.Certificate
	// links lead to gateways instead of their addresses, by mesh.
	links map[string]*link.Link
	// witnesses say what arrived in a mesh.
	witnesses map[string]*traffic.Witness
}

var _ steps.Meshes = (*Reach)(nil)

// New reaches into meshes whose gateways trust authority.
func New(meshes map[string]Mesh, authority *pki.Authority) (*Reach, error) {
	impostor, err := pki.New(pki.Options{})
	if err != nil {
		return nil, fmt.Errorf("reach: %w", err)
	}
	alone, err := pki.Own("c1", "c2", "c3")
	if err != nil {
		return nil, fmt.Errorf("reach: %w", err)
	}
	return &Reach{
		meshes: meshes, own: authority, impostor: impostor, alone: alone, roots: authority.Pool(),
		addresses: map[string]cluster.GatewayAddress{}, certificates: map[steps.Caller]*tls.Certificate{}, links: map[string]*link.Link{},
		witnesses: map[string]*traffic.Witness{},
	}, nil
}

// Close ends what was begun in the meshes to ask them.
func (r *Reach) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.witnesses {
		w.Close()
	}
}

// OwnAuthorities are those of the meshes that no gateway trusts unless it is told
// to, by mesh.
func (r *Reach) OwnAuthorities() map[string]*pki.Authority { return r.alone }

// LoadByJobs has load that leaves a mesh sent by a Job of its own. It is for
// the time before the first scenario.
func (r *Reach) LoadByJobs() { r.jobs = true }

func (r *Reach) mesh(name string) (Mesh, error) {
	m, known := r.meshes[name]
	if !known {
		return Mesh{}, fmt.Errorf("no mesh %q in this lab", name)
	}
	return m, nil
}

// GatewayAddress implements steps.Meshes.
func (r *Reach) GatewayAddress(ctx context.Context, mesh string) (host, port string, err error) {
	address, err := r.gateway(ctx, mesh)
	if err != nil {
		return "", "", err
	}
	return net.SplitHostPort(address.Peers)
}

// gateway is where the gateway of a mesh is reached, perhaps by a link.
func (r *Reach) gateway(ctx context.Context, mesh string) (cluster.GatewayAddress, error) {
	address, err := r.address(ctx, mesh)
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.links[mesh]; err == nil && l != nil {
		address.Harness = l.Address()
	}
	return address, err
}

// Through leads what is sent to the gateway of a mesh over a link, until it is
// closed. It is not for two at once.
func (r *Reach) Through(ctx context.Context, mesh string) (l *link.Link, restore func(), err error) {
	address, err := r.address(ctx, mesh)
	if err != nil {
		return nil, nil, err
	}
	if l, err = link.Open(address.Harness); err != nil {
		return nil, nil, err
	}
	set := func(l *link.Link) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.links[mesh] = l
	}
	set(l)
	return l, func() { set(nil); l.Close() }, nil
}

// address asks once: that of a Service of type LoadBalancer stays.
func (r *Reach) address(ctx context.Context, mesh string) (cluster.GatewayAddress, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return cluster.GatewayAddress{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if address, known := r.addresses[mesh]; known {
		return address, nil
	}
	address, err := m.Cluster.Gateway(ctx, cluster.GatewayRef{
		Namespace: istio.GatewayNamespace, Service: istio.IngressGateway, Port: istio.IngressPort,
	})
	if err != nil {
		return cluster.GatewayAddress{}, err
	}
	r.addresses[mesh] = address
	return address, nil
}
