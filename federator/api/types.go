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
	// AnnotationConfirmIdentity on a Peer repeats the new identity (several are
	// separated by commas) of a peer that is in use and had another one before.
	AnnotationConfirmIdentity = Group + "/confirm-identity"
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
//
// +kubebuilder:object:generate=true
// +kubebuilder:validation:XValidation:rule="has(self.ingress) || has(self.egress)",message="name an ingress gateway, an egress gateway, or both"
// +kubebuilder:validation:XValidation:rule="!has(self.ingress) || has(self.host)",message="the ingress gateway answers one explicit host; name it"
type MeshSpec struct {
	// Host is the SNI and the authority of the private ingress gateway. Required
	// as soon as something is exposed.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!isIP(self)",message="an IP address cannot be asked for by SNI; use a DNS name"
	Host string `json:"host,omitempty"`
	// Ingress is the private ingress gateway. Required as soon as something is exposed.
	Ingress *Gateway `json:"ingress,omitempty"`
	// Egress is the private egress gateway. Required as soon as something is consumed.
	Egress *Gateway `json:"egress,omitempty"`
	// ControlPlane says where istiod keeps its mesh config. Zero: istio-system, no revision.
	ControlPlane ControlPlane `json:"controlPlane,omitzero"`
	// ClusterDomain is the DNS suffix of Services. Empty: cluster.local.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!isIP(self)",message="an IP address cannot be asked for by SNI; use a DNS name"
	ClusterDomain string `json:"clusterDomain,omitempty"`
}

// Gateway is one private gateway deployment.
//
// +kubebuilder:object:generate=true
type Gateway struct {
	// Namespace of the gateway's workload, Service and Secret.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// Service in front of the gateway's pods.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Service string `json:"service"`
	// Selector picks the gateway's pods. It must not be empty: an empty selector
	// would turn a policy for one gateway into one for the whole namespace.
	//
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:XValidation:rule="self.all(k, self[k] != '')",message="an empty value does not single out the gateway"
	Selector map[string]string `json:"selector"`
	// Port of the Service that carries federation traffic.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// CredentialName is the Secret with tls.crt, tls.key and ca.crt (or a second
	// Secret <name>-cacert), read by the gateway through SDS.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=253
	CredentialName string `json:"credentialName"`
}

// ControlPlane locates istiod's mesh config.
type ControlPlane struct {
	// Namespace is Istio's root namespace. Empty: istio-system.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// Revision selects the ConfigMap istio-<revision>. Empty: the ConfigMap istio.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
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
//
// +kubebuilder:object:generate=true
// +kubebuilder:validation:XValidation:rule="has(self.clientIdentity) || has(self.serverIdentity)",message="name clientIdentity (a peer that calls), serverIdentity (one that is called), or both"
// +kubebuilder:validation:XValidation:rule="!has(self.ingress) || has(self.clientIdentity)",message="nobody can come in by spec.ingress without a clientIdentity"
type PeerSpec struct {
	// ClientIdentity is the SPIFFE ID in the peer's client certificate.
	//
	// +kubebuilder:validation:Pattern=`^spiffe://[a-z0-9._-]+(/([A-Za-z0-9_-]|\.[A-Za-z0-9_-]|\.\.[A-Za-z0-9._-])[A-Za-z0-9._-]*)+$`
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('spiffe://cluster.local/')",message="trust domain cluster.local means every mesh's own; the peer needs one of its own"
	ClientIdentity string `json:"clientIdentity,omitempty"`
	// ServerIdentity is the SPIFFE ID its server certificate must carry.
	//
	// +kubebuilder:validation:Pattern=`^spiffe://[a-z0-9._-]+(/([A-Za-z0-9_-]|\.[A-Za-z0-9_-]|\.\.[A-Za-z0-9._-])[A-Za-z0-9._-]*)+$`
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('spiffe://cluster.local/')",message="trust domain cluster.local means every mesh's own; the peer needs one of its own"
	ServerIdentity string `json:"serverIdentity,omitempty"`
	// Address of the peer's private ingress gateway as seen from here.
	Address *Address `json:"address,omitempty"`
	// SNI to ask for; also the authority of requests.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!isIP(self)",message="an IP address cannot be asked for by SNI; use a DNS name"
	SNI string `json:"sni,omitempty"`
	// Offers are the public prefixes that the peer says it exposes to this mesh.
	// It is data and grants nothing; it only lets a consumption of a path that is
	// not offered be refused here instead of over there. Empty: not known, and
	// nothing is refused for it.
	//
	// +listType=set
	// +kubebuilder:validation:items:Pattern=`^/(([A-Za-z0-9_~-]|\.[A-Za-z0-9_~-]|\.\.[A-Za-z0-9._~-])[A-Za-z0-9._~-]*/)+$`
	// +kubebuilder:validation:items:MaxLength=1024
	Offers []string `json:"offers,omitempty"`
	// Ingress is how this peer, and nobody else, comes in here. Nil: by the
	// Mesh's own host, where the roots of all such peers stand in one bundle and
	// each of them could sign another one's name.
	Ingress *PeerIngress `json:"ingress,omitempty"`
}

// PeerIngress is an entrance of one peer alone at the private ingress gateway.
// Only the peer's client identity completes a handshake there, and the peer is
// admitted nowhere else.
type PeerIngress struct {
	// Host is the SNI and the authority that this peer asks for.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!isIP(self)",message="an IP address cannot be asked for by SNI; use a DNS name"
	Host string `json:"host"`
	// CredentialName is the Secret, in the gateway's namespace, with our
	// certificate for Host and in ca.crt the root of this peer and of no other.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=253
	CredentialName string `json:"credentialName"`
}

// Address is a host (IP or DNS name) and a TCP port.
type Address struct {
	// Host is an IP address or a DNS name.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="isIP(self) || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="write an IP address or a DNS name"
	Host string `json:"host"`
	// Port is a TCP port.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}

// Exposure puts one local service under a public path, for named peers only.
type Exposure struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ExposureSpec `json:"spec"`
}

// ExposureSpec says what is exposed, where, and to whom.
//
// +kubebuilder:object:generate=true
type ExposureSpec struct {
	// Service in the exposure's own namespace.
	Service Service `json:"service"`
	// Path is the public prefix, "/" at both ends, rewritten to "/" on the way in.
	//
	// +kubebuilder:validation:Pattern=`^/(([A-Za-z0-9_~-]|\.[A-Za-z0-9_~-]|\.\.[A-Za-z0-9._~-])[A-Za-z0-9._~-]*/)+$`
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path"`
	// Consumers are the peers that may call, 128 at most. Empty is an error: say
	// nothing instead. Their paths have 16384 characters together at most: whoever
	// writes one exposure must not take the room in which all are remembered.
	//
	// +listType=map
	// +listMapKey=peer
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:XValidation:rule="self.map(c, has(c.paths) ? c.paths.map(p, p.size()).sum() : 0).sum() <= 16384",message="the paths of all consumers have more than 16384 characters together; name the folder above them, or split the exposure"
	Consumers []Consumer `json:"consumers"`
}

// Service is a port of a Service and, optionally, a subset that the owner's
// DestinationRule defines.
type Service struct {
	// Name is a DNS label.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Port is the Service's port, not the pods'.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// Subset of the owner's DestinationRule. Empty: every endpoint. Only for exposures.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Subset string `json:"subset,omitempty"`
}

// Consumer grants one peer a set of methods and paths.
//
// +kubebuilder:object:generate=true
type Consumer struct {
	// Peer by name; it must have a client identity.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Peer string `json:"peer"`
	// Methods in upper case. Empty is an error: nothing is granted by omission.
	//
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:items:Enum=GET;HEAD;POST;PUT;PATCH;DELETE;OPTIONS
	Methods []string `json:"methods"`
	// Paths below the public prefix, without a leading "/", 64 at most. One that
	// ends in "/" covers everything below it, another is exact. Empty: the whole
	// prefix.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:Pattern=`^([A-Za-z0-9_~-]|\.[A-Za-z0-9_~-]|\.\.[A-Za-z0-9._~-])[A-Za-z0-9._~-]*(/([A-Za-z0-9_~-]|\.[A-Za-z0-9_~-]|\.\.[A-Za-z0-9._~-])[A-Za-z0-9._~-]*)*/?$`
	Paths []string `json:"paths,omitempty"`
}

// Consumption serves a local name from a peer, by ordered routes.
type Consumption struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ConsumptionSpec `json:"spec"`
}

// ConsumptionSpec binds a local service name to a peer's exposure.
//
// +kubebuilder:object:generate=true
// +kubebuilder:validation:XValidation:rule="!has(self.service.subset)",message="a subset belongs to a local destination in routes"
type ConsumptionSpec struct {
	// Service is the local name and port, kept. It need not exist: then a Service
	// without endpoints is made so that the name resolves.
	Service Service `json:"service"`
	// From is the peer and the public path over there.
	From From `json:"from"`
	// Routes in order, the first match wins; the last must match everything. The
	// names and values of the headers that they match have 16384 characters together
	// at most.
	//
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="!has(self[self.size()-1].match)",message="the last route must take the rest; add one without match"
	// +kubebuilder:validation:XValidation:rule="self.filter(r, !has(r.match)).size() <= 1",message="a route without match takes everything; the routes after it are never reached"
	// +kubebuilder:validation:XValidation:rule="self.map(r, has(r.match) ? r.match.headers.map(h, h.name.size() + (has(h.exact) ? h.exact.size() : 0) + (has(h.prefix) ? h.prefix.size() : 0)).sum() : 0).sum() <= 16384",message="the headers of all routes have more than 16384 characters together; match by fewer or shorter ones"
	Routes []Route `json:"routes"`
}

// From names a peer's exposure as the consumer sees it.
type From struct {
	// Peer by name; it must have a server identity, an address and an SNI.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Peer string `json:"peer"`
	// Path is the peer's public prefix, "/" at both ends.
	//
	// +kubebuilder:validation:Pattern=`^/(([A-Za-z0-9_~-]|\.[A-Za-z0-9_~-]|\.\.[A-Za-z0-9._~-])[A-Za-z0-9._~-]*/)+$`
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path"`
}

// Route sends what it matches to weighted destinations.
//
// +kubebuilder:object:generate=true
type Route struct {
	// Match narrows the route. Nil only in the last route: the rest.
	Match *Match `json:"match,omitempty"`
	// To are the destinations; weights add up to 100.
	//
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.map(d, d.weight).sum() == 100",message="weights must add up to 100"
	// +kubebuilder:validation:XValidation:rule="self.all(d, self.exists_one(o, o.target == d.target && (has(o.subset) ? o.subset : '') == (has(d.subset) ? d.subset : '')))",message="a destination stands twice"
	To []Destination `json:"to"`
}

// Match holds conditions that must all be met.
//
// +kubebuilder:object:generate=true
type Match struct {
	// Headers to compare; each name once.
	//
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Headers []HeaderMatch `json:"headers"`
}

// HeaderMatch compares one request header; exactly one of Exact and Prefix is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.exact) != has(self.prefix)",message="needs exactly one of exact and prefix"
type HeaderMatch struct {
	// Name in lower case. Pseudo-headers are left out on purpose: routing by them
	// would step around the path rules.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9-]*$`
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
	// Exact is the whole value.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Exact string `json:"exact,omitempty"`
	// Prefix is how the value begins.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Prefix string `json:"prefix,omitempty"`
}

// Target is the closed set of places a route may lead to.
//
// +kubebuilder:validation:Enum=local;remote
type Target string

// The two targets.
const (
	TargetLocal  Target = "local"
	TargetRemote Target = "remote"
)

// Destination is one weighted target.
//
// +kubebuilder:validation:XValidation:rule="self.target == 'local' || !has(self.subset)",message="the peer chooses what is behind its path; subsets are for local destinations"
type Destination struct {
	// Target is where the share goes.
	Target Target `json:"target"`
	// Subset of the local service. Only with target local. Empty: every endpoint.
	//
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Subset string `json:"subset,omitempty"`
	// Weight in percent, 1 to 100.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Weight int32 `json:"weight"`
}
