package verify

import (
	"fmt"
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
	sni  []string
	// certificates and anchors are the secrets by which the gateway shows itself
	// and judges its callers.
	certificates []string
	anchors      string
	grants       []grant
	routes       []route
	clusters     []cluster
}

// grant is what one declaration allows: the callers of one clause.
type grant struct {
	by     api.Key
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
	out := side{Side: Ingress, gateway: g, used: len(s.Exposures) > 0, sni: []string{mesh.Host},
		certificates: []string{credentialPrefix + g.CredentialName}, anchors: credentialPrefix + g.CredentialName + anchorsSuffix}
	peers := identities(s)
	for i := range s.Exposures {
		e := &s.Exposures[i]
		fqdn := mesh.FQDN(e.Spec.Service.Name, e.Namespace)
		to := target{fqdn, e.Spec.Service.Subset, int(e.Spec.Service.Port)}
		out.routes = append(out.routes, route{e.Key(), mesh.Host, e.Spec.Path, to, "/", fqdn})
		out.clusters = append(out.clusters, cluster{by: e.Key(), target: to})
		for _, c := range e.Spec.Consumers {
			for _, clause := range consumerClauses(peers[c.Peer], mesh.Host, int(g.Port), c, e.Spec.Path) {
				out.grants = append(out.grants, grant{e.Key(), clause})
			}
		}
	}
	return out
}

func identities(s api.Spec) map[string]string {
	out := map[string]string{}
	for _, p := range s.Peers {
		out[p.Name] = p.Spec.ClientIdentity
	}
	return out
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
	out := side{Side: Egress, gateway: g, used: len(s.Consumptions) > 0,
		certificates: []string{meshCertificate}, anchors: meshAnchors}
	spoken := map[string]bool{}
	for i := range s.Consumptions {
		c := &s.Consumptions[i]
		name := mesh.FQDN(c.Spec.Service.Name, c.Namespace)
		out.sni = append(out.sni, name)
		out.grants = append(out.grants, grant{c.Key(), envoy.Clause{workloadsOf(c.Namespace), exactly(envoy.FieldSNI, name), authority(name)}})
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
