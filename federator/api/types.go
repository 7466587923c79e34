package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// Group is the API group of every declaration.
	Group = "federation.meshfed.io"
	// Version is the only version decoded.
	Version = "v1alpha1"
	// APIVersion is what a document's apiVersion must say, exactly.
	APIVersion = Group + "/" + Version
)

// Kind is the closed set of declarations.
type Kind string

// The four kinds; any other is an error.
const (
	KindMesh        Kind = "Mesh"
	KindPeer        Kind = "Peer"
	KindExposure    Kind = "Exposure"
	KindConsumption Kind = "Consumption"
)

// Spec is the whole wish of one cluster. It is complete: what is not in it
// should not exist. Build it with Load or Parse, which also remember where each
// declaration stood; a Spec built by hand is valid input to Validate too.
type Spec struct {
	// Mesh is this side's own boundary. Required.
	Mesh Mesh `json:"mesh"`
	// Peers are the other meshes. Empty: nothing can be exposed or consumed.
	Peers []Peer `json:"peers,omitempty"`
	// Exposures say what peers may use. Empty: nothing is reachable from outside.
	Exposures []Exposure `json:"exposures,omitempty"`
	// Consumptions say which local names peers serve. Empty: no traffic leaves.
	Consumptions []Consumption `json:"consumptions,omitempty"`

	// sources remembers where each declaration was read, for error messages.
	sources map[Key]source
}

// Key names one declaration. Namespace is empty for Mesh and Peer.
type Key struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String spells a key as Kind/namespace/name, or Kind/name without a namespace.
func (k Key) String() string {
	if k.Namespace == "" {
		return string(k.Kind) + "/" + k.Name
	}
	return string(k.Kind) + "/" + k.Namespace + "/" + k.Name
}

// Mesh states the facts of this side's own boundary once, so that no exposure
// or consumption repeats them.
type Mesh struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              MeshSpec `json:"spec"`
}

// MeshSpec describes the private gateways and the control plane of this mesh.
type MeshSpec struct {
	// Host is the SNI and the authority of the private ingress gateway. Required
	// as soon as something is exposed.
	Host string `json:"host,omitempty"`
	// Ingress is the private ingress gateway. Required as soon as something is exposed.
	Ingress *Gateway `json:"ingress,omitempty"`
	// Egress is the private egress gateway. Required as soon as something is consumed.
	Egress *Gateway `json:"egress,omitempty"`
	// ControlPlane says where istiod keeps its mesh config. Zero: istio-system, no revision.
	ControlPlane ControlPlane `json:"controlPlane,omitzero"`
	// ClusterDomain is the DNS suffix of Services. Empty: cluster.local.
	ClusterDomain string `json:"clusterDomain,omitempty"`
}

// Gateway is one private gateway deployment.
type Gateway struct {
	// Namespace of the gateway's workload, Service and Secret.
	Namespace string `json:"namespace"`
	// Service in front of the gateway's pods.
	Service string `json:"service"`
	// Selector picks the gateway's pods. It must not be empty: an empty selector
	// would turn a policy for one gateway into one for the whole namespace.
	Selector map[string]string `json:"selector"`
	// Port of the Service that carries federation traffic.
	Port int32 `json:"port"`
	// CredentialName is the Secret with tls.crt, tls.key and ca.crt (or a second
	// Secret <name>-cacert), read by the gateway through SDS.
	CredentialName string `json:"credentialName"`
}

// ControlPlane locates istiod's mesh config.
type ControlPlane struct {
	// Namespace is Istio's root namespace. Empty: istio-system.
	Namespace string `json:"namespace,omitempty"`
	// Revision selects the ConfigMap istio-<revision>. Empty: the ConfigMap istio.
	Revision string `json:"revision,omitempty"`
}

// Peer is another mesh: who calls us, and whom we call.
type Peer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              PeerSpec `json:"spec"`
}

// PeerSpec names a peer's identities. A peer that only calls needs a client
// identity; one that is called needs server identity, address and SNI.
type PeerSpec struct {
	// ClientIdentity is the SPIFFE ID in the peer's client certificate.
	ClientIdentity string `json:"clientIdentity,omitempty"`
	// ServerIdentity is the SPIFFE ID its server certificate must carry.
	ServerIdentity string `json:"serverIdentity,omitempty"`
	// Address of the peer's private ingress gateway as seen from here.
	Address *Address `json:"address,omitempty"`
	// SNI to ask for; also the authority of requests.
	SNI string `json:"sni,omitempty"`
}

// Address is a host (IP or DNS name) and a TCP port.
type Address struct {
	Host string `json:"host"`
	Port int32  `json:"port"`
}

// Exposure puts one local service under a public path, for named peers only.
type Exposure struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ExposureSpec `json:"spec"`
}

// ExposureSpec says what is exposed, where, and to whom.
type ExposureSpec struct {
	// Service in the exposure's own namespace.
	Service Service `json:"service"`
	// Path is the public prefix, "/" at both ends, rewritten to "/" on the way in.
	Path string `json:"path"`
	// Consumers are the peers that may call. Empty is an error: say nothing instead.
	Consumers []Consumer `json:"consumers"`
}

// Service is a port of a Service and, optionally, a subset that the owner's
// DestinationRule defines.
type Service struct {
	Name string `json:"name"`
	Port int32  `json:"port"`
	// Subset of the owner's DestinationRule. Empty: every endpoint. Only for exposures.
	Subset string `json:"subset,omitempty"`
}

// Consumer grants one peer a set of methods and paths.
type Consumer struct {
	// Peer by name; it must have a client identity.
	Peer string `json:"peer"`
	// Methods in upper case. Empty is an error: nothing is granted by omission.
	Methods []string `json:"methods"`
	// Paths below the public prefix, without a leading "/". One that ends in "/"
	// covers everything below it, another is exact. Empty: the whole prefix.
	Paths []string `json:"paths,omitempty"`
}

// Consumption serves a local name from a peer, by ordered routes.
type Consumption struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ConsumptionSpec `json:"spec"`
}

// ConsumptionSpec binds a local service name to a peer's exposure.
type ConsumptionSpec struct {
	// Service is the local name and port, kept. It need not exist: then a Service
	// without endpoints is made so that the name resolves.
	Service Service `json:"service"`
	// From is the peer and the public path over there.
	From From `json:"from"`
	// Routes in order, the first match wins; the last must match everything.
	Routes []Route `json:"routes"`
}

// From names a peer's exposure as the consumer sees it.
type From struct {
	Peer string `json:"peer"`
	// Path is the peer's public prefix, "/" at both ends.
	Path string `json:"path"`
}

// Route sends what it matches to weighted destinations.
type Route struct {
	// Match narrows the route. Nil only in the last route: the rest.
	Match *Match `json:"match,omitempty"`
	// To are the destinations; weights add up to 100.
	To []Destination `json:"to"`
}

// Match holds conditions that must all be met.
type Match struct {
	Headers []HeaderMatch `json:"headers"`
}

// HeaderMatch compares one request header; exactly one of Exact and Prefix is set.
type HeaderMatch struct {
	Name   string `json:"name"`
	Exact  string `json:"exact,omitempty"`
	Prefix string `json:"prefix,omitempty"`
}

// Target is the closed set of places a route may lead to.
type Target string

// The two targets.
const (
	TargetLocal  Target = "local"
	TargetRemote Target = "remote"
)

// Destination is one weighted target.
type Destination struct {
	Target Target `json:"target"`
	// Subset of the local service. Only with target local. Empty: every endpoint.
	Subset string `json:"subset,omitempty"`
	// Weight in percent, 1 to 100.
	Weight int32 `json:"weight"`
}
