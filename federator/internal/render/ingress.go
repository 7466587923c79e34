package render

import (
	"cmp"
	"slices"

	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/meshfed/meshfed/federator/api"
)

// The names of the objects that a boundary has once.
const (
	// IngressGateway is the Gateway that peers come in by.
	IngressGateway = "federation-ingress"
	// EgressGateway is the Gateway that local callers go out by.
	EgressGateway = "federation-egress"
	denySuffix    = "-default-deny"
)

// ingress renders the exposing side.
func (r *renderer) ingress() {
	g := *r.spec.Mesh.Spec.Ingress
	r.defaultDeny(g, IngressGateway+denySuffix)
	r.ingressListener(g)
	for _, e := range r.spec.Exposures {
		name := dnsLabel("federation-expose-", e.Namespace, e.Name)
		r.grant(g, name, e.Key(), r.exposureRules(e))
		r.exposureRoute(g, name, e)
	}
}

// ingressListener opens the port for the explicit host of each entrance. The
// "./" keeps routes of other namespaces off it: without it any namespace could
// attach a route.
func (r *renderer) ingressListener(g api.Gateway) {
	r.add(&networking.Gateway{
		TypeMeta:   typeMeta(istioNetworking, "Gateway"),
		ObjectMeta: r.listenerMeta(Name{g.Namespace, IngressGateway}),
		Spec: networkingapi.Gateway{
			Selector: g.Selector,
			Servers:  r.servers(g),
		},
	})
}

// servers are one for each entrance, each with roots and routes of its own. At a
// peer's own entrance the handshake asks for the peer's name, too: its root may
// sign any name, and none but this one counts.
func (r *renderer) servers(g api.Gateway) []*networkingapi.Server {
	entrances := r.spec.Entrances()
	slices.SortFunc(entrances, func(a, b api.Entrance) int { return cmp.Compare(portName(a), portName(b)) })
	out := make([]*networkingapi.Server, 0, len(entrances))
	for _, e := range entrances {
		tls := &networkingapi.ServerTLSSettings{
			Mode:               networkingapi.ServerTLSSettings_MUTUAL,
			CredentialName:     e.CredentialName,
			MinProtocolVersion: networkingapi.ServerTLSSettings_TLSV1_2,
		}
		if e.Peer != nil {
			tls.SubjectAltNames = []string{e.Peer.Spec.ClientIdentity}
		}
		out = append(out, &networkingapi.Server{
			Port:  &networkingapi.Port{Number: uint32(g.Port), Name: portName(e), Protocol: "HTTPS"},
			Hosts: []string{"./" + e.Host},
			Tls:   tls,
		})
	}
	return out
}

// portName tells entrances apart: Istio names a server's routes by it.
func portName(e api.Entrance) string {
	if e.Peer == nil {
		return "https-federation"
	}
	return dnsLabel("https-federation-", e.Peer.Name)
}

// entranceHosts are the hosts by which the consumers of an exposure come in.
func (r *renderer) entranceHosts(e api.Exposure) []string {
	var out []string
	for _, c := range e.Spec.Consumers {
		peer := r.peers[c.Peer]
		if host := r.spec.Mesh.Spec.Entrance(&peer).Host; !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

// exposureRoute has a VirtualService of its own, so that cancelling one exposure
// touches no other. It is bound to the hosts of those whom it is exposed to, and
// to no other entrance. Istio joins those of one host in an order of its own; that
// is safe only because validation refuses prefixes that overlap.
func (r *renderer) exposureRoute(g api.Gateway, name string, e api.Exposure) {
	fqdn := r.spec.Mesh.Spec.FQDN(e.Spec.Service.Name, e.Namespace)
	r.add(&networking.VirtualService{
		TypeMeta:   typeMeta(istioNetworking, "VirtualService"),
		ObjectMeta: r.meta(RoleRoute, Name{g.Namespace, name}, e.Key()),
		Spec: networkingapi.VirtualService{
			Hosts:    r.entranceHosts(e),
			Gateways: []string{IngressGateway},
			ExportTo: local(),
			Http: []*networkingapi.HTTPRoute{{
				Match:   []*networkingapi.HTTPMatchRequest{{Uri: prefix(e.Spec.Path)}},
				Rewrite: &networkingapi.HTTPRewrite{Uri: "/", Authority: fqdn},
				Route: []*networkingapi.HTTPRouteDestination{{
					Destination: destination(fqdn, e.Spec.Service.Subset, e.Spec.Service.Port),
				}},
			}},
		},
	})
}

func prefix(p string) *networkingapi.StringMatch {
	return &networkingapi.StringMatch{MatchType: &networkingapi.StringMatch_Prefix{Prefix: p}}
}

func exact(s string) *networkingapi.StringMatch {
	return &networkingapi.StringMatch{MatchType: &networkingapi.StringMatch_Exact{Exact: s}}
}

func destination(host, subset string, port int32) *networkingapi.Destination {
	return &networkingapi.Destination{Host: host, Subset: subset, Port: &networkingapi.PortSelector{Number: uint32(port)}}
}
