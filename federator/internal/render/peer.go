package render

import (
	"net/netip"

	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/meshfed/meshfed/federator/api"
)

// peerEntry gives the peer's SNI an address, visible to the gateways only: a
// workload that knew the name could otherwise call it around the egress gateway.
// The port is plain HTTP to Envoy because peerTLS starts TLS underneath it.
func (r *renderer) peerEntry(g api.Gateway, p api.Peer) {
	resolution := networkingapi.ServiceEntry_DNS
	if _, err := netip.ParseAddr(p.Spec.Address.Host); err == nil {
		resolution = networkingapi.ServiceEntry_STATIC
	}
	r.add(&networking.ServiceEntry{
		TypeMeta:   typeMeta(istioNetworking, "ServiceEntry"),
		ObjectMeta: r.meta(RolePeer, Name{g.Namespace, dnsLabel("federation-peer-", p.Name)}, p.Key()),
		Spec: networkingapi.ServiceEntry{
			Hosts:      []string{p.Spec.SNI},
			Location:   networkingapi.ServiceEntry_MESH_EXTERNAL,
			Resolution: resolution,
			ExportTo:   local(),
			Ports: []*networkingapi.ServicePort{{
				Number: uint32(p.Spec.Address.Port), Name: "http-federation", Protocol: "HTTP",
			}},
			Endpoints: []*networkingapi.WorkloadEntry{{Address: p.Spec.Address.Host}},
		},
	})
}

// peerTLS presents this mesh's client certificate and verifies the peer by root,
// SNI and the exact identity: a root that signs several meshes would otherwise
// let any of them pass for this peer. insecureSkipVerify is set to false explicitly:
// somebody else could otherwise set the one field that undoes all of it.
func (r *renderer) peerTLS(g api.Gateway, p api.Peer) {
	r.add(&networking.DestinationRule{
		TypeMeta:   typeMeta(istioNetworking, "DestinationRule"),
		ObjectMeta: r.meta(RolePeerTLS, Name{g.Namespace, dnsLabel("federation-peer-", p.Name)}, p.Key()),
		Spec: networkingapi.DestinationRule{
			Host:     p.Spec.SNI,
			ExportTo: local(),
			TrafficPolicy: &networkingapi.TrafficPolicy{
				Tls: &networkingapi.ClientTLSSettings{
					Mode:            networkingapi.ClientTLSSettings_MUTUAL,
					CredentialName:  g.CredentialName,
					Sni:             p.Spec.SNI,
					SubjectAltNames: []string{p.Spec.ServerIdentity},
				},
			},
		},
	}, explicit{false, []string{"trafficPolicy", "tls", "insecureSkipVerify"}})
}
