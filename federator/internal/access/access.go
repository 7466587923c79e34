// Package access lists the rights that the engine needs in a cluster, and no
// other: what it writes follows from what rendering says it makes, what it reads
// from what preflight and the controller look at. Secrets are not among them.
//
// It is data: roles are made from it elsewhere, and tests hold it against what
// the engine really does.
package access

import (
	"cmp"
	"slices"
	"strings"

	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Place is where a right holds. The set is closed.
type Place string

// The places.
const (
	// Everywhere is the whole cluster.
	Everywhere Place = "everywhere"
	// Gateways is the namespace of the private gateways.
	Gateways Place = "gateways"
	// ControlPlane is Istio's root namespace.
	ControlPlane Place = "control-plane"
	// Services are the namespaces of the declarations.
	Services Place = "services"
	// Own is the controller's own namespace.
	Own Place = "own"
)

// Places lists them.
func Places() []Place { return []Place{Everywhere, Gateways, ControlPlane, Services, Own} }

const (
	networking = "networking.istio.io"
	security   = "security.istio.io"
)

// read is how the engine and its watches look at things.
func read() []string { return []string{"get", "list", "watch"} }

// Rules are the rights at one place. MeshConfig is the name of istiod's ConfigMap.
func Rules(at Place, meshConfig string) []rbac.PolicyRule {
	switch at {
	case Everywhere:
		return []rbac.PolicyRule{
			{APIGroups: []string{api.Group}, Resources: []string{"meshes", "peers", "exposures", "consumptions"}, Verbs: []string{"list", "watch"}},
			{APIGroups: []string{api.Group}, Resources: []string{"meshes/status", "peers/status", "exposures/status", "consumptions/status"}, Verbs: []string{"patch"}},
			// Those of any namespace can claim a host or a gateway.
			{APIGroups: []string{networking}, Resources: []string{"gateways", "virtualservices"}, Verbs: []string{"list", "watch"}},
			{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		}
	case Gateways:
		return append(writes(render.PlaceGateways),
			rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: []string{"list", "watch"}},
			// By their labels others can select them.
			rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
			rbac.PolicyRule{APIGroups: []string{networking}, Resources: []string{"destinationrules", "serviceentries"}, Verbs: []string{"list", "watch"}},
			rbac.PolicyRule{APIGroups: []string{security}, Resources: []string{"authorizationpolicies"}, Verbs: []string{"list", "watch"}},
			rbac.PolicyRule{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"list", "watch"}},
			rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
			rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{inventory.Name}, Verbs: []string{"get", "update", "delete"}},
		)
	case ControlPlane:
		return []rbac.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{meshConfig}, Verbs: read()},
			{APIGroups: []string{security}, Resources: []string{"authorizationpolicies"}, Verbs: []string{"list", "watch"}},
		}
	case Services:
		return append(writes(render.PlaceServices),
			rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: []string{"list", "watch"}},
			rbac.PolicyRule{APIGroups: []string{networking}, Resources: []string{"destinationrules"}, Verbs: []string{"list", "watch"}})
	case Own:
		return []rbac.PolicyRule{
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "update"}},
		}
	}
	return nil
}

// Compared are the rights to look at what is rendered at a place, which is the
// gateways' or the services' namespaces.
func Compared(at Place) []rbac.PolicyRule {
	switch at {
	case Gateways:
		return rendered(render.PlaceGateways, "get")
	case Services:
		return rendered(render.PlaceServices, "get")
	}
	return nil
}

// writes are the rights to make, compare and remove what is rendered at a place.
func writes(at render.Place) []rbac.PolicyRule {
	return rendered(at, "get", "create", "patch", "delete")
}

// rendered is one rule for each API group.
func rendered(at render.Place, verbs ...string) []rbac.PolicyRule {
	resources := map[string][]string{}
	for _, w := range render.Writes() {
		if w.Place != at {
			continue
		}
		gvk := schema.FromAPIVersionAndKind(w.APIVersion, w.Kind)
		if r := Resource(gvk); !slices.Contains(resources[gvk.Group], r) {
			resources[gvk.Group] = append(resources[gvk.Group], r)
		}
	}
	var out []rbac.PolicyRule
	for group, list := range resources {
		slices.Sort(list)
		out = append(out, rbac.PolicyRule{APIGroups: []string{group}, Resources: list, Verbs: verbs})
	}
	slices.SortFunc(out, func(a, b rbac.PolicyRule) int { return cmp.Compare(a.APIGroups[0], b.APIGroups[0]) })
	return out
}

// Resource is the plural of a kind. The guess is English grammar and knows no
// "gateways".
func Resource(gvk schema.GroupVersionKind) string {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	if strings.HasSuffix(plural.Resource, "gatewaies") {
		return "gateways"
	}
	return plural.Resource
}
