package render

import (
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

// ingressListener opens the port for one explicit host. The "./" keeps routes
// of other namespaces off it: without it any namespace could attach a route.
func (r *renderer) ingressListener(g api.Gateway) {
	r.add(&networking.Gateway{
		TypeMeta:   typeMeta(istioNetworking, "Gateway"),
		ObjectMeta: r.meta(RoleListener, Name{g.Namespace, IngressGateway}, r.spec.Mesh.Key()),
		Spec: networkingapi.Gateway{
			Selector: g.Selector,
			Servers: []*networkingapi.Server{{
				Port:  &networkingapi.Port{Number: uint32(g.Port), Name: "https-federation", Protocol: "HTTPS"},
				Hosts: []string{"./" + r.spec.Mesh.Spec.Host},
				Tls: &networkingapi.ServerTLSSettings{
					Mode:               networkingapi.ServerTLSSettings_MUTUAL,
					CredentialName:     g.CredentialName,
					MinProtocolVersion: networkingapi.ServerTLSSettings_TLSV1_2,
				},
			}},
		},
	})
}

// exposureRoute has a VirtualService of its own, so that cancelling one exposure
// touches no other. Istio joins those of one host in an order of its own; that
// is safe only because validation refuses prefixes that overlap.
func (r *renderer) exposureRoute(g api.Gateway, name string, e api.Exposure) {
	fqdn := r.spec.Mesh.Spec.FQDN(e.Spec.Service.Name, e.Namespace)
	r.add(&networking.VirtualService{
		TypeMeta:   typeMeta(istioNetworking, "VirtualService"),
		ObjectMeta: r.meta(RoleRoute, Name{g.Namespace, name}, e.Key()),
		Spec: networkingapi.VirtualService{
			Hosts:    []string{r.spec.Mesh.Spec.Host},
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
