package verify

import "fmt"

// Kind is what is wrong. The set is closed.
type Kind string

// What is wrong with the objects of the cluster.
const (
	// ObjectMissing: an object of a declaration does not exist.
	ObjectMissing Kind = "object-missing"
	// ObjectChanged: it says something else than the declarations.
	ObjectChanged Kind = "object-changed"
	// ObjectExtra: it carries the engine's labels, and no declaration asks for it.
	ObjectExtra Kind = "object-extra"
	// ForeignObject: somebody else's object bears on the boundary.
	ForeignObject Kind = "foreign-object"
	// MeshConfig: a setting of the whole mesh weakens the boundary.
	MeshConfig Kind = "mesh-config"
)

// What is wrong with how a gateway takes connections.
const (
	// GatewayUnseen: no pod of the gateway could be looked into.
	GatewayUnseen Kind = "gateway-unseen"
	// ConfigRefused: the gateway runs something older than it was told.
	ConfigRefused Kind = "config-refused"
	// ListenerMissing and ListenerExtra are open ports too few and too many.
	ListenerMissing Kind = "listener-missing"
	ListenerExtra   Kind = "listener-extra"
	// SNIMissing and SNIExtra are server names too few and too many.
	SNIMissing Kind = "sni-missing"
	SNIExtra   Kind = "sni-extra"
	// ListenerPlainText: connections without TLS are taken.
	ListenerPlainText Kind = "listener-plain-text"
	// ClientCertificateOptional: callers need no certificate.
	ClientCertificateOptional Kind = "client-certificate-optional"
	// ClientTrust: callers are judged by other roots than those declared.
	ClientTrust Kind = "client-trust"
	// ServerCertificate: another certificate than the declared one is presented.
	ServerCertificate Kind = "server-certificate"
	// TLSVersion: versions of TLS before 1.2 are taken.
	TLSVersion Kind = "tls-version"
	// PathNormalisation: a path that only looks different can pass a rule.
	PathNormalisation Kind = "path-normalisation"
	// CertificateExpired: a certificate or root is not valid now.
	CertificateExpired Kind = "certificate-expired"
)

// What is wrong with who may do what, and where that leads.
const (
	// PolicyMissing: requests are not judged at all.
	PolicyMissing Kind = "policy-missing"
	// PolicyWider and PolicyNarrower: more or less is allowed than declared.
	PolicyWider    Kind = "policy-wider"
	PolicyNarrower Kind = "policy-narrower"
	// PolicyOverridden: a route changes the filters for its requests.
	PolicyOverridden Kind = "policy-overridden"
	// FilterUnknown: a filter that nobody declared sees the traffic.
	FilterUnknown Kind = "filter-unknown"
	// RouteMissing, RouteExtra and RouteChanged are ways too few, too many and
	// leading elsewhere.
	RouteMissing Kind = "route-missing"
	RouteExtra   Kind = "route-extra"
	RouteChanged Kind = "route-changed"
	// ClusterMissing: a route leads to nothing.
	ClusterMissing Kind = "cluster-missing"
	// ClusterPlainText: where a route leads is spoken to without TLS.
	ClusterPlainText Kind = "cluster-plain-text"
	// ClusterUnverified: the peer's certificate is not held against the declared
	// roots and identity.
	ClusterUnverified Kind = "cluster-unverified"
	// ClusterCertificate: another client certificate than the declared one, or none.
	ClusterCertificate Kind = "cluster-certificate"
	// ClusterSNI: another server name is asked for.
	ClusterSNI Kind = "cluster-sni"
	// ClusterAddress: the peer's address is another, or there is none.
	ClusterAddress Kind = "cluster-address"
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{ObjectMissing, ObjectChanged, ObjectExtra, ForeignObject, MeshConfig,
		GatewayUnseen, ConfigRefused, ListenerMissing, ListenerExtra, SNIMissing, SNIExtra, ListenerPlainText,
		ClientCertificateOptional, ClientTrust, ServerCertificate, TLSVersion, PathNormalisation, CertificateExpired,
		PolicyMissing, PolicyWider, PolicyNarrower, PolicyOverridden, FilterUnknown, RouteMissing, RouteExtra, RouteChanged,
		ClusterMissing, ClusterPlainText, ClusterUnverified, ClusterCertificate, ClusterSNI, ClusterAddress}
}

// Finding is one difference between what is declared and what is there.
type Finding struct {
	Kind Kind `json:"kind"`
	// Where it is: an object, or a place in a gateway's configuration.
	Where string `json:"where"`
	// Declaration that it is about; empty when it is about none.
	Declaration string `json:"declaration,omitempty"`
	// Detail says what was found and what ought to be there.
	Detail string `json:"detail"`
}

// String is the finding on one line.
func (f Finding) String() string {
	text := fmt.Sprintf("%s: %s: %s", f.Kind, f.Where, f.Detail)
	if f.Declaration != "" {
		text += " (" + f.Declaration + ")"
	}
	return text
}

// Report is what Check found, and how much it has held against the declarations:
// a report without findings about nothing proves nothing.
type Report struct {
	Mesh     string    `json:"mesh"`
	Findings []Finding `json:"findings"`
	// Warnings are of what the declarations say nothing about, and what weakens a
	// withdrawal all the same.
	Warnings []string `json:"warnings,omitempty"`
	// Objects is the number of declared objects that were compared, Foreign that of
	// the others looked at.
	Objects int `json:"objects"`
	Foreign int `json:"foreign"`
	// Gateways are the pods whose Envoy was read.
	Gateways []string `json:"gateways"`
	// Grants, Routes and Clusters were wanted of these Envoys and compared.
	Grants   int `json:"grants"`
	Routes   int `json:"routes"`
	Clusters int `json:"clusters"`
}

// Proven says that reachable is what is declared.
func (r Report) Proven() bool { return len(r.Findings) == 0 }
