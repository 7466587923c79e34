package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
)

// side is what one gateway ought to do, read from the declarations alone: not
// from the objects that they are rendered to, in which the mistake may be.
type side struct {
	Side
	gateway api.Gateway
	// used: there ought to be a listener.
	used bool
	// doors are the server names that it answers.
	doors    []door
	grants   []grant
	routes   []route
	clusters []cluster
}

// door is one server name and how its callers are judged.
type door struct {
	sni string
	// certificates and anchors are the secrets by which the gateway shows itself
	// and judges its callers.
	certificates []string
	anchors      string
	// identity is the only one that completes a handshake; empty is any.
	identity string
}

// sni are the names of all doors.
func (s side) sni() []string {
	var out []string
	for _, d := range s.doors {
		out = append(out, d.sni)
	}
	return out
}

// grant is what one declaration allows: the callers of one clause, at one door.
type grant struct {
	by     api.Key
	sni    string
	clause envoy.Clause
}

// route is where one prefix at one authority leads.
type route struct {
	by                 api.Key
	authority, path    string
	target             target
	rewrite, rewritten string
}

// target is what Istio names a cluster by.
type target struct {
	host, subset string
	port         int
}

func (t target) String() string {
	text := fmt.Sprintf("%s:%d", t.host, t.port)
	if t.subset != "" {
		text += " subset " + t.subset
	}
	return text
}

// cluster is how a peer is spoken to; for local services only the target is set.
type cluster struct {
	by     api.Key
	target target
	peer   *api.Peer
}

// sides are the gateways that the Mesh declares, used or not: one that is not
// used must not listen.
func sides(s api.Spec) []side {
	var out []side
	if g := s.Mesh.Spec.Ingress; g != nil {
		out = append(out, ingress(s, *g))
	}
	if g := s.Mesh.Spec.Egress; g != nil {
		out = append(out, egress(s, *g))
	}
	return out
}

// Istio's names for the secrets of a gateway's own credential, and for the
// certificate and roots of the mesh.
const (
	credentialPrefix = "kubernetes://"
	anchorsSuffix    = "-cacert"
	meshCertificate  = "default"
	meshAnchors      = "ROOTCA"
)

func ingress(s api.Spec, g api.Gateway) side {
	mesh := s.Mesh.Spec
	out := side{Side: Ingress, gateway: g, used: len(s.Exposures) > 0}
	peers := map[string]api.Peer{}
	for _, p := range s.Peers {
		peers[p.Name] = p
	}
	doors := map[string]bool{}
	for i := range s.Exposures {
		e := &s.Exposures[i]
		fqdn := mesh.FQDN(e.Spec.Service.Name, e.Namespace)
		to := target{fqdn, e.Spec.Service.Subset, int(e.Spec.Service.Port)}
		out.clusters = append(out.clusters, cluster{by: e.Key(), target: to})
		first := len(out.routes)
		for _, c := range e.Spec.Consumers {
			p := peers[c.Peer]
			d := doorOf(p, mesh.Host, g.CredentialName)
			if !doors[d.sni] {
				doors[d.sni] = true
				out.doors = append(out.doors, d)
			}
			if r := (route{e.Key(), d.sni, e.Spec.Path, to, "/", fqdn}); !slices.Contains(out.routes[first:], r) {
				out.routes = append(out.routes, r)
			}
			for _, clause := range consumerClauses(p.Spec.ClientIdentity, d.sni, int(g.Port), c, e.Spec.Path) {
				out.grants = append(out.grants, grant{e.Key(), d.sni, clause})
			}
		}
	}
	return out
}

// doorOf is where a peer comes in: by the mesh's own name, or by one that is the
// peer's alone.
func doorOf(p api.Peer, host, credential string) door {
	identity := ""
	if in := p.Spec.Ingress; in != nil {
		host, credential, identity = in.Host, in.CredentialName, p.Spec.ClientIdentity
	}
	return door{host, []string{credentialPrefix + credential}, credentialPrefix + credential + anchorsSuffix, identity}
}

func exactly(field envoy.Field, value string) envoy.Term {
	return envoy.Term{Field: field, Matcher: envoy.Matcher{Kind: envoy.Exact, Value: value}}
}

// authority is a name as HTTP compares it.
func authority(value string) envoy.Term {
	t := exactly(envoy.FieldAuthority, value)
	t.Fold = true
	return t
}

// consumerClauses are all combinations of what one consumer may say.
func consumerClauses(identity, host string, port int, c api.Consumer, prefix string) []envoy.Clause {
	paths := []envoy.Matcher{{Kind: envoy.Prefix, Value: prefix}}
	if len(c.Paths) > 0 {
		paths = nil
	}
	for _, p := range c.Paths {
		kind := envoy.Exact
		if strings.HasSuffix(p, "/") {
			kind = envoy.Prefix
		}
		paths = append(paths, envoy.Matcher{Kind: kind, Value: prefix + p})
	}
	var out []envoy.Clause
	for _, name := range []string{host, fmt.Sprintf("%s:%d", host, port)} {
		for _, method := range c.Methods {
			for _, path := range paths {
				out = append(out, envoy.Clause{exactly(envoy.FieldPrincipal, identity), exactly(envoy.FieldSNI, host),
					authority(name), exactly(envoy.FieldMethod, method), {Field: envoy.FieldPath, Matcher: path}})
			}
		}
	}
	return out
}

func egress(s api.Spec, g api.Gateway) side {
	mesh := s.Mesh.Spec
	out := side{Side: Egress, gateway: g, used: len(s.Consumptions) > 0}
	spoken := map[string]bool{}
	for i := range s.Consumptions {
		c := &s.Consumptions[i]
		name := mesh.FQDN(c.Spec.Service.Name, c.Namespace)
		out.doors = append(out.doors, door{name, []string{meshCertificate}, meshAnchors, ""})
		out.grants = append(out.grants, grant{c.Key(), name, envoy.Clause{workloadsOf(c.Namespace), exactly(envoy.FieldSNI, name), authority(name)}})
		p, known := s.Peer(c.Spec.From.Peer)
		if !known || p.Spec.Address == nil {
			continue // no valid wish
		}
		to := target{host: p.Spec.SNI, port: int(p.Spec.Address.Port)}
		out.routes = append(out.routes, route{c.Key(), name, "/", to, c.Spec.From.Path, p.Spec.SNI})
		if !spoken[p.Name] {
			spoken[p.Name] = true
			out.clusters = append(out.clusters, cluster{by: p.Key(), target: to, peer: &p})
		}
	}
	return out
}

// workloadsOf is how Istio says that a caller is of a namespace.
func workloadsOf(namespace string) envoy.Term {
	return envoy.Term{Field: envoy.FieldPrincipal, Matcher: envoy.Matcher{Kind: envoy.Regex, Value: ".*/ns/" + namespace + "/.*"}}
}
