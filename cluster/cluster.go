// Package cluster says what the harness may ask of the place where meshes live.
//
// A Provider brings up a Lab: a handful of clusters that share nothing but a
// network on which their private gateways can be reached. The package is the
// whole vocabulary between the harness and its providers (embedded, kind, a
// vendor's own clusters); nothing above it may know which provider it has, and
// nothing in it may know of federation.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"golang.org/x/net/http/httpproxy"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Topology is what a lab shall consist of. The zero value is invalid: a lab
// has at least one cluster.
type Topology struct {
	// Clusters are brought up in parallel, each a mesh of its own: its own
	// control plane, its own root of trust, its own names.
	Clusters []Spec
}

// Spec is one cluster of a topology.
type Spec struct {
	// Name is a DNS label, unique in the topology ("c1").
	Name string
}

// TopologyOf is the topology of n clusters with the seed's names: c1, c2, c3 …
func TopologyOf(n int) Topology {
	var t Topology
	for i := 1; i <= n; i++ {
		t.Clusters = append(t.Clusters, Spec{Name: fmt.Sprintf("c%d", i)})
	}
	return t
}

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

// ValidateName says whether a lab or cluster name can be used: a DNS label of
// at most 20 characters, since it becomes part of host names.
func ValidateName(kind, name string) error {
	if !label.MatchString(name) {
		return fmt.Errorf("%s name %q: want lower-case letters, digits and inner dashes, at most 20 characters", kind, name)
	}
	return nil
}

// Validate reports the first fault of the topology.
func (t Topology) Validate() error {
	if len(t.Clusters) == 0 {
		return errors.New("topology: no clusters")
	}
	seen := map[string]bool{}
	for _, c := range t.Clusters {
		if err := ValidateName("cluster", c.Name); err != nil {
			return err
		}
		if seen[c.Name] {
			return fmt.Errorf("topology: cluster %q is named twice", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// Fits reports the first reason why no lab of that name can have the topology
// where a lab holds at most that many clusters.
func (t Topology) Fits(lab string, most int) error {
	if err := ValidateName("lab", lab); err != nil {
		return err
	}
	if err := t.Validate(); err != nil {
		return err
	}
	if len(t.Clusters) > most {
		return fmt.Errorf("topology: %d clusters; one lab holds at most %d", len(t.Clusters), most)
	}
	return nil
}

// ErrNoLab is returned by Open and Delete for a lab that is not up.
var ErrNoLab = errors.New("no such lab")

// Provider makes labs. Implementations are safe for concurrent use.
type Provider interface {
	// Name is the provider's word on the command line ("embedded").
	Name() string
	// Create brings the lab up and returns when every cluster serves: its
	// API answers, its node is Ready, its mesh and private gateways run.
	// If it fails or ctx ends, nothing of the lab is left.
	Create(ctx context.Context, lab string, t Topology) (Lab, error)
	// Open returns a lab that is up, or an error that wraps ErrNoLab.
	Open(ctx context.Context, lab string) (Lab, error)
	// List names the labs that are up.
	List(ctx context.Context) ([]string, error)
}

// Lab is a set of clusters that are up.
type Lab interface {
	Name() string
	Provider() string
	// Clusters are in the topology's order.
	Clusters() []Cluster
	// Cluster returns the cluster of that name, or an error that lists them.
	Cluster(name string) (Cluster, error)
	// ExportLogs writes the logs of everything that runs the clusters
	// (control planes, nodes) below dir. It holds no secrets.
	ExportLogs(ctx context.Context, dir string) error
	// Delete removes the lab and leaves nothing behind. It is idempotent.
	Delete(ctx context.Context) error
}

// Cluster is one Kubernetes cluster with a mesh of its own.
type Cluster interface {
	Name() string
	// Kubeconfig is the path of a file, mode 0600, with one context named
	// as the cluster, valid where the harness runs.
	Kubeconfig() string
	// Gateway says how a Service of type LoadBalancer or NodePort is reached.
	Gateway(ctx context.Context, ref GatewayRef) (GatewayAddress, error)
	// LoadImage makes an image archive (docker save) or fixture of that
	// name known to the cluster, so that pods need not pull it.
	LoadImage(ctx context.Context, image string) error
}

// Local is a Cluster that only this machine reaches. Whoever needs a proxy for
// the world outside needs none for it.
type Local interface {
	Cluster
	// OnThisMachine does nothing: to have it is to be Local.
	OnThisMachine()
}

// FieldManager is the name under which the harness applies objects, so that
// what it made can be told from what the engine under test made.
const FieldManager = "meshfed-conformance"

// GatewayRef names a port of a gateway's Service.
type GatewayRef struct {
	Namespace, Service string
	// Port is the Service's port number.
	Port int32
}

func (r GatewayRef) String() string {
	return fmt.Sprintf("service %s/%s port %d", r.Namespace, r.Service, r.Port)
}

// GatewayAddress is where a gateway is reached. The two differ where the
// harness is not on the clusters' network.
type GatewayAddress struct {
	// Peers is the host:port at which the other clusters reach it.
	Peers string
	// Harness is the host:port at which the harness reaches it, by a path
	// that changes nothing above TCP: bytes, half-closes and resets pass.
	Harness string
}

// RESTConfig is the client configuration of a cluster's kubeconfig.
func RESTConfig(c Cluster) (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("cluster %s: kubeconfig: %w", c.Name(), err)
	}
	// The harness asks in bursts; client-go's default of 5 a second would
	// be measured instead of the mesh.
	cfg.QPS, cfg.Burst = 200, 400
	// Only where it matters: client-go shares no connection between clients
	// that choose their proxy themselves.
	if _, is := c.(Local); is && proxied(cfg.Host) {
		cfg.Proxy = http.ProxyURL(nil)
	}
	return cfg, nil
}

// proxied says whether the environment names a proxy for an API server.
func proxied(address string) bool {
	at, err := url.Parse(address)
	if err != nil {
		return false
	}
	proxy, err := httpproxy.FromEnvironment().ProxyFunc()(at)
	return err != nil || proxy != nil
}

// Streams are the ends of an Exec. A nil one is not connected.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}
