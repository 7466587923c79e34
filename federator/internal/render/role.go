package render

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
)

// Role is the part an object plays at the boundary. The set is closed, and its
// order is the order of creation: what denies comes first, what lets traffic in
// or out comes last, so that no moment in between is open. Removal runs the
// other way round.
type Role string

// The roles, in the order of creation.
const (
	// RoleDefaultDeny closes a gateway before it listens.
	RoleDefaultDeny Role = "default-deny"
	// RolePeer names a peer's address inside this mesh.
	RolePeer Role = "peer"
	// RolePeerTLS says how the peer is verified and who we are to it.
	RolePeerTLS Role = "peer-tls"
	// RoleEgressTLS says how sidecars reach the egress gateway.
	RoleEgressTLS Role = "egress-tls"
	// RoleRoute routes inside a gateway. It comes before the grant: a grant that finds
	// the route of the wish before would open what is behind that one.
	RoleRoute Role = "route"
	// RoleGrant allows one declaration's callers.
	RoleGrant Role = "grant"
	// RoleListener opens a gateway's port.
	RoleListener Role = "listener"
	// RolePlaceholder makes a local name resolve that no local workload serves.
	RolePlaceholder Role = "placeholder"
	// RoleConsumerRoute moves local callers to the peer.
	RoleConsumerRoute Role = "consumer-route"
)

// Roles lists the roles in the order of creation.
func Roles() []Role {
	return []Role{RoleDefaultDeny, RolePeer, RolePeerTLS, RoleEgressTLS, RoleRoute,
		RoleGrant, RoleListener, RolePlaceholder, RoleConsumerRoute}
}

// The labels and the annotation that every rendered object carries, and one of
// Gateways.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelMesh      = api.Group + "/mesh"
	LabelRole      = api.Group + "/role"
	// AnnotationDeclaredBy is the declaration's key in full, such as
	// Exposure/bookinfo/reviews-v2; several are separated by commas.
	AnnotationDeclaredBy = api.Group + "/declared-by"
	// AnnotationInventory on a Gateway is the namespace of the inventory that lists
	// it; it is there only when that is not the Gateway's own.
	AnnotationInventory = api.Group + "/inventory"
	// Manager is the value of LabelManagedBy.
	Manager = "federator"
)

// RoleOf is the role an object carries, "" when it is not ours.
func RoleOf(o *unstructured.Unstructured) Role { return Role(o.GetLabels()[LabelRole]) }

// Made says whether an object carries the label of an engine, whichever its mesh.
func Made(o *unstructured.Unstructured) bool { return o.GetLabels()[LabelManagedBy] == Manager }

// Owned says whether an object carries this mesh's labels.
func Owned(o *unstructured.Unstructured, mesh string) bool {
	return Made(o) && o.GetLabels()[LabelMesh] == mesh
}

// Placeholder says whether a Service of an engine still serves nobody. What its
// owner applies over it, by kubectl say, leaves the labels and the UID as they are:
// only that the name leads somewhere tells that it is the owner's now.
func Placeholder(service *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(service.Object, "spec", "type")
	selector, _, _ := unstructured.NestedMap(service.Object, "spec", "selector")
	return Made(service) && len(selector) == 0 && kind != "ExternalName"
}

// InventoryOf is the namespace of the inventory that lists a Gateway of ours.
func InventoryOf(gateway *unstructured.Unstructured) string {
	if at := gateway.GetAnnotations()[AnnotationInventory]; at != "" {
		return at
	}
	return gateway.GetNamespace()
}

// ReadByIstio says of the key of a label or an annotation whether Istio may act on
// it: istio.io/dry-run turns a policy off, istio.io/rev hides an object from istiod.
func ReadByIstio(key string) bool {
	domain, _, ok := strings.Cut(key, "/")
	return ok && (domain == "istio.io" || strings.HasSuffix(domain, ".istio.io"))
}

// DeclaredBy lists the declarations an object stands for.
func DeclaredBy(o *unstructured.Unstructured) []string {
	s := o.GetAnnotations()[AnnotationDeclaredBy]
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
