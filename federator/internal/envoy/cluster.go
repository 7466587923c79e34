package envoy

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Cluster is where a route leads.
type Cluster struct {
	Name string
	// Object that says how it is spoken to, such as DestinationRule NAMESPACE/NAME;
	// empty if there is none.
	Object string
	// Type is how its addresses are found, as Envoy spells it.
	Type string
	// TLS is how it is spoken to; nil when not by one setting for all addresses.
	TLS *ClientTLS
	// Mesh says that addresses of this mesh are spoken to by mutual TLS of the mesh.
	Mesh bool
	// Endpoints are the addresses known; with EDS only if the dump has them.
	Endpoints []Endpoint
	// Last is the last attempt to use it; see Config.Hear.
	Last Attempt
}

// Plain says that nothing about the cluster is encrypted.
func (c Cluster) Plain() bool { return c.TLS == nil && !c.Mesh }

// ClientTLS is how a cluster's addresses are spoken to.
type ClientTLS struct {
	SNI string
	// Certificates are the names of the secrets presented.
	Certificates []string
	Validation
}

// Endpoint is one address behind a cluster.
type Endpoint struct {
	// Address is HOST:PORT.
	Address string
	Healthy bool
	// Connections were begun, and Failed of them did not come about, if that was
	// Counted; see Config.Count.
	Counted             bool
	Connections, Failed int
}

func (e Endpoint) String() string {
	text := e.Address
	if !e.Healthy {
		text += " (not healthy)"
	}
	if e.Connections > 0 {
		text += fmt.Sprintf(" (%d connections, %d of them failed)", e.Connections, e.Failed)
	}
	return text
}

// meshTLS is the mark by which Istio picks mutual TLS for an address.
const meshTLS = "tlsMode-istio"

type rawAssignment struct {
	Cluster   string `json:"cluster_name"`
	Endpoints []struct {
		List []struct {
			Endpoint struct {
				Address struct {
					Socket struct {
						Address string `json:"address"`
						Port    int    `json:"port_value"`
					} `json:"socket_address"`
					Internal struct {
						Name string `json:"server_listener_name"`
					} `json:"envoy_internal_address"`
				} `json:"address"`
			} `json:"endpoint"`
			Health string `json:"health_status"`
		} `json:"lb_endpoints"`
	} `json:"endpoints"`
}

func (a rawAssignment) list() []Endpoint {
	var out []Endpoint
	for _, group := range a.Endpoints {
		for _, e := range group.List {
			socket := e.Endpoint.Address.Socket
			address := net.JoinHostPort(socket.Address, strconv.Itoa(socket.Port))
			if e.Endpoint.Address.Internal.Name != "" {
				address = e.Endpoint.Address.Internal.Name
			}
			out = append(out, Endpoint{Address: address, Healthy: slices.Contains([]string{"", "UNKNOWN", "HEALTHY"}, e.Health)})
		}
	}
	return out
}

func (p *parser) cluster(n named) {
	var raw struct {
		Name       string        `json:"name"`
		Type       string        `json:"type"`
		Custom     *typed        `json:"cluster_type"`
		Transport  *typed        `json:"transport_socket"`
		Assignment rawAssignment `json:"load_assignment"`
		Matches    []struct {
			Name      string `json:"name"`
			Transport typed  `json:"transport_socket"`
		} `json:"transport_socket_matches"`
		Metadata metadata `json:"metadata"`
	}
	if !p.read("cluster", n.Cluster, &raw) {
		return
	}
	out := Cluster{Name: raw.Name, Object: raw.Metadata.object(), Type: raw.Type, Endpoints: raw.Assignment.list()}
	if raw.Custom != nil {
		out.Type = raw.Custom.Name
	}
	for _, m := range raw.Matches {
		out.Mesh = out.Mesh || m.Name == meshTLS && m.Transport.Name == tlsSocket
	}
	if raw.Transport != nil && raw.Transport.Name == tlsSocket {
		out.TLS = p.clientTLS(raw.Name, raw.Transport.Config)
	}
	p.Clusters[out.Name] = out
}

func (p *parser) clientTLS(cluster string, config json.RawMessage) *ClientTLS {
	var raw rawTLS
	p.read("TLS of cluster "+cluster, config, &raw)
	return &ClientTLS{SNI: raw.SNI, Certificates: raw.Common.certificates(), Validation: raw.Common.validation()}
}

// endpoints puts the addresses that came by EDS to their cluster.
func (p *parser) endpoints(n named) {
	var raw rawAssignment
	if !p.read("endpoints", n.Endpoint, &raw) {
		return
	}
	c, known := p.Clusters[raw.Cluster]
	if !known || len(c.Endpoints) > 0 {
		return
	}
	c.Endpoints = raw.list()
	p.Clusters[raw.Cluster] = c
}

// Target is the host, subset and port in a name that Istio gives to clusters:
// outbound|PORT|SUBSET|HOST.
func Target(cluster string) (host, subset string, port int, ok bool) {
	parts := strings.Split(cluster, "|")
	if len(parts) != 4 || parts[0] != "outbound" {
		return "", "", 0, false
	}
	port, err := strconv.Atoi(parts[1])
	return parts[3], parts[2], port, err == nil
}
