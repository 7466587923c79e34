package render

import (
	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/meshfed/meshfed/federator/api"
)

// placeholder makes a local name resolve when no local Service has it. It has no
// selector and so no endpoints: the sidecar takes the request before anything
// looks for one. Unlike the ExternalName of old it needs no DNS tricks and leads
// nowhere for a client without a sidecar.
func (r *renderer) placeholder(c api.Consumption) {
	name := Name{c.Namespace, c.Spec.Service.Name}
	if _, exists := r.facts.Services[name]; exists {
		return
	}
	r.add(&corev1.Service{
		TypeMeta:   typeMeta("v1", "Service"),
		ObjectMeta: r.meta(RolePlaceholder, name, c.Key()),
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP,
			Ports: []corev1.ServicePort{{
				Name: "http", Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("http"),
				Port: c.Spec.Service.Port, TargetPort: intstr.FromInt32(c.Spec.Service.Port),
			}},
		},
	})
}

// consumerRoute moves the callers of the consuming namespace, and only them. The
// retries are Istio's default (two, on connect failures and the like): they hide
// no answer of the peer, and setting them here would overrule the mesh's owner.
func (r *renderer) consumerRoute(g api.Gateway, c api.Consumption) {
	fqdn := r.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace)
	http := make([]*networkingapi.HTTPRoute, 0, len(c.Spec.Routes)+1)
	for _, route := range c.Spec.Routes {
		http = append(http, r.httpRoute(g, c, route))
	}
	if r.facts.Services[Name{c.Namespace, c.Spec.Service.Name}].Ports > 1 {
		// A VirtualService takes over every port of its host: without a last route the
		// service's other ports would answer 404.
		http = append(http, &networkingapi.HTTPRoute{Route: []*networkingapi.HTTPRouteDestination{{
			Destination: &networkingapi.Destination{Host: fqdn},
		}}})
	}
	r.add(&networking.VirtualService{
		TypeMeta:   typeMeta(istioNetworking, "VirtualService"),
		ObjectMeta: r.meta(RoleConsumerRoute, Name{c.Namespace, dnsLabel("federation-", c.Name)}, c.Key()),
		Spec: networkingapi.VirtualService{
			Hosts:    []string{fqdn},
			ExportTo: local(),
			Http:     http,
		},
	})
}

func (r *renderer) httpRoute(g api.Gateway, c api.Consumption, route api.Route) *networkingapi.HTTPRoute {
	fqdn := r.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace)
	out := &networkingapi.HTTPRoute{Match: []*networkingapi.HTTPMatchRequest{{
		Port:    uint32(c.Spec.Service.Port),
		Headers: headers(route.Match),
	}}}
	for _, d := range route.To {
		dest := destination(fqdn, d.Subset, c.Spec.Service.Port)
		if d.Target == api.TargetRemote {
			dest = destination(r.egressHost(g), subsetName(c), g.Port)
			// The egress gateway routes by the full name; callers may use a short one.
			// The rewrite holds for local destinations of the same route too, where the
			// full name is just as good.
			out.Rewrite = &networkingapi.HTTPRewrite{Authority: fqdn}
		}
		out.Route = append(out.Route, &networkingapi.HTTPRouteDestination{Destination: dest, Weight: d.Weight})
	}
	return out
}

func headers(m *api.Match) map[string]*networkingapi.StringMatch {
	if m == nil {
		return nil
	}
	out := make(map[string]*networkingapi.StringMatch, len(m.Headers))
	for _, h := range m.Headers {
		if h.Exact != "" {
			out[h.Name] = exact(h.Exact)
		} else {
			out[h.Name] = prefix(h.Prefix)
		}
	}
	return out
}
