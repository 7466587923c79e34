package render

import (
	"slices"

	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/meshfed/meshfed/federator/api"
)

// egress renders the consuming side.
func (r *renderer) egress() {
	g := *r.spec.Mesh.Spec.Egress
	r.defaultDeny(g, EgressGateway+denySuffix)
	for _, p := range r.consumedPeers() {
		r.peerEntry(g, p)
		r.peerTLS(g, p)
	}
	r.egressTLS(g)
	r.egressListener(g)
	for _, c := range r.spec.Consumptions {
		r.grant(g, dnsLabel("federation-consume-", c.Namespace, c.Name), c.Key(), r.consumptionRules(c))
		r.egressRoute(g, c)
		r.placeholder(c)
		r.consumerRoute(g, c)
	}
}

// consumedPeers are the peers that some consumption names: an address nobody
// calls must not be reachable.
func (r *renderer) consumedPeers() []api.Peer {
	named := map[string]bool{}
	for _, c := range r.spec.Consumptions {
		named[c.Spec.From.Peer] = true
	}
	return slices.DeleteFunc(slices.Clone(r.spec.Peers), func(p api.Peer) bool { return !named[p.Name] })
}

// sortedConsumptions gives shared objects one order, whatever order the files had.
func (r *renderer) sortedConsumptions() []api.Consumption {
	out := slices.Clone(r.spec.Consumptions)
	slices.SortFunc(out, func(a, b api.Consumption) int {
		return slices.Compare([]string{a.Namespace, a.Spec.Service.Name}, []string{b.Namespace, b.Spec.Service.Name})
	})
	return out
}

// subsetName is the egress gateway's subset for one consumed name.
func subsetName(c api.Consumption) string {
	return dnsLabel("", c.Spec.Service.Name, c.Namespace)
}

// egressTLS is one DestinationRule with a subset per consumption: sidecars ask
// for the local name by SNI, which is how the gateway tells consumptions apart
// before it reads a request. Only consuming namespaces see it.
func (r *renderer) egressTLS(g api.Gateway) {
	var subsets []*networkingapi.Subset
	visible, seen := local(), map[string]bool{g.Namespace: true}
	for _, c := range r.sortedConsumptions() {
		subsets = append(subsets, &networkingapi.Subset{
			Name: subsetName(c),
			TrafficPolicy: &networkingapi.TrafficPolicy{PortLevelSettings: []*networkingapi.TrafficPolicy_PortTrafficPolicy{{
				Port: &networkingapi.PortSelector{Number: uint32(g.Port)},
				Tls: &networkingapi.ClientTLSSettings{
					Mode: networkingapi.ClientTLSSettings_ISTIO_MUTUAL,
					Sni:  r.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace),
				},
			}}},
		})
		if !seen[c.Namespace] {
			seen[c.Namespace] = true
			visible = append(visible, c.Namespace)
		}
	}
	r.add(&networking.DestinationRule{
		TypeMeta:   typeMeta(istioNetworking, "DestinationRule"),
		ObjectMeta: r.meta(RoleEgressTLS, Name{g.Namespace, EgressGateway}, r.spec.Mesh.Key()),
		Spec: networkingapi.DestinationRule{
			Host:     r.egressHost(g),
			ExportTo: visible,
			Subsets:  subsets,
		},
	})
}

func (r *renderer) egressHost(g api.Gateway) string {
	return r.spec.Mesh.Spec.FQDN(g.Service, g.Namespace)
}

// egressListener takes mutual TLS of this mesh's own workloads, for the consumed
// names only.
func (r *renderer) egressListener(g api.Gateway) {
	var names []string
	for _, c := range r.sortedConsumptions() {
		names = append(names, "./"+r.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace))
	}
	r.add(&networking.Gateway{
		TypeMeta:   typeMeta(istioNetworking, "Gateway"),
		ObjectMeta: r.listenerMeta(Name{g.Namespace, EgressGateway}),
		Spec: networkingapi.Gateway{
			Selector: g.Selector,
			Servers: []*networkingapi.Server{{
				Port:  &networkingapi.Port{Number: uint32(g.Port), Name: "https-federation", Protocol: "HTTPS"},
				Hosts: names,
				Tls:   &networkingapi.ServerTLSSettings{Mode: networkingapi.ServerTLSSettings_ISTIO_MUTUAL},
			}},
		},
	})
}

// egressRoute leads a consumed name to the peer's public path. Matching "/" and
// rewriting it to the public prefix puts the prefix in front of every path.
func (r *renderer) egressRoute(g api.Gateway, c api.Consumption) {
	peer := r.peers[c.Spec.From.Peer]
	r.add(&networking.VirtualService{
		TypeMeta:   typeMeta(istioNetworking, "VirtualService"),
		ObjectMeta: r.meta(RoleRoute, Name{g.Namespace, dnsLabel("federation-consume-", c.Namespace, c.Name)}, c.Key()),
		Spec: networkingapi.VirtualService{
			Hosts:    []string{r.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace)},
			Gateways: []string{EgressGateway},
			ExportTo: local(),
			Http: []*networkingapi.HTTPRoute{{
				Match:   []*networkingapi.HTTPMatchRequest{{Uri: prefix("/")}},
				Rewrite: &networkingapi.HTTPRewrite{Uri: c.Spec.From.Path, Authority: peer.Spec.SNI},
				Route: []*networkingapi.HTTPRouteDestination{{
					Destination: destination(peer.Spec.SNI, "", peer.Spec.Address.Port),
				}},
			}},
		},
	})
}
