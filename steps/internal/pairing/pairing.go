// Package pairing writes what the owners of two meshes know of each other
// before anything is exposed: the Mesh declaration of one side and a Peer
// declaration for each of the others. Everything in it follows from the names
// of the meshes and the addresses of their gateways.
package pairing

import (
	"fmt"
	"slices"
	"strings"
)

// APIVersion of the declarations.
const APIVersion = "federation.meshfed.io/v1alpha1"

// Peer is another mesh as the owner of one sees it.
type Peer struct {
	Name string
	// Host and Port of its private ingress gateway, as seen from the meshes.
	// A peer without an address can call, and cannot be called.
	Host, Port string
	// ServerIdentity replaces the identity its gateway is expected to have;
	// empty means the true one.
	ServerIdentity string
	// SNI replaces the server name that its gateway is asked for; empty means the
	// true one.
	SNI string
	// Alone: it comes in by an entrance of its own.
	Alone bool
	// KnowsAlone: it has such an entrance for the mesh that declares.
	KnowsAlone bool
}

// Declarations of the mesh called name, to put in front of its exposures and
// consumptions.
func Declarations(name string, peers []Peer) string {
	var b strings.Builder
	egress := EgressSecret(name)
	if slices.ContainsFunc(peers, func(p Peer) bool { return p.KnowsAlone }) {
		egress = OwnSecret(name)
	}
	fmt.Fprintf(&b, mesh, APIVersion, name, egress)
	for _, p := range peers {
		fmt.Fprintf(&b, caller, APIVersion, p.Name)
		if p.Alone {
			fmt.Fprintf(&b, alone, EntranceHost(name, p.Name), EntranceSecret(name, p.Name))
		}
		if p.Host == "" {
			continue
		}
		identity := p.ServerIdentity
		if identity == "" {
			identity = ServerIdentity(p.Name)
		}
		sni := p.SNI
		switch {
		case sni != "":
		case p.KnowsAlone:
			sni = EntranceHost(p.Name, name)
		default:
			sni = Host(p.Name)
		}
		fmt.Fprintf(&b, callee, identity, p.Host, p.Port, sni)
	}
	return b.String()
}

// IngressSecret is the name of the secret of a mesh's private ingress gateway.
func IngressSecret(mesh string) string { return mesh + "-example-com-ingress-certs" }

// EgressSecret is the name of the secret of its private egress gateway.
func EgressSecret(mesh string) string { return mesh + "-example-com-egress-certs" }

// Host is the name at which a mesh serves its peers.
func Host(mesh string) string { return mesh + ".example.com" }

// EntranceHost is the name of a mesh's private ingress gateway for one peer alone.
func EntranceHost(mesh, peer string) string { return peer + "." + mesh + ".example.com" }

// EntranceSecret is the name of the secret for that entrance.
func EntranceSecret(mesh, peer string) string {
	return mesh + "-example-com-ingress-" + peer + "-certs"
}

// OwnSecret is the name of the secret by which a mesh calls whoever knows it by
// its own authority.
func OwnSecret(mesh string) string { return mesh + "-example-com-egress-own-certs" }

// ServerIdentity is the SPIFFE ID of a mesh's private ingress gateway.
func ServerIdentity(mesh string) string {
	return fmt.Sprintf("spiffe://%s.example.com/istio-private-ingressgateway", mesh)
}

// ClientIdentity is the SPIFFE ID of a mesh's private egress gateway.
func ClientIdentity(mesh string) string {
	return fmt.Sprintf("spiffe://%s.example.com/istio-private-egressgateway", mesh)
}

const mesh = `apiVersion: %[1]s
kind: Mesh
metadata: {name: %[2]s}
spec:
  host: %[2]s.example.com
  ingress:
    namespace: istio-private-gateways
    service: istio-private-ingressgateway
    selector: {istio: private-ingressgateway}
    port: 15443
    credentialName: %[2]s-example-com-ingress-certs
  egress:
    namespace: istio-private-gateways
    service: istio-private-egressgateway
    selector: {istio: private-egressgateway}
    port: 443
    credentialName: %[3]s
`

const caller = `---
apiVersion: %[1]s
kind: Peer
metadata: {name: %[2]s}
spec:
  clientIdentity: spiffe://%[2]s.example.com/istio-private-egressgateway
`

const alone = `  ingress: {host: %[1]s, credentialName: %[2]s}
`

const callee = `  serverIdentity: %[1]s
  address: {host: %[2]q, port: %[3]s}
  sni: %[4]s
`
