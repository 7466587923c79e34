package federator

import (
	"slices"

	rbac "k8s.io/api/rbac/v1"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/access"
	"github.com/meshfed/meshfed/federator/internal/inventory"
)

// Where says in which namespaces an Engine works. All fields are required.
type Where struct {
	// Gateways is the namespace of the private gateways, ControlPlane Istio's
	// root namespace, and Services are those of the declared services.
	Gateways, ControlPlane string
	Services               []string
	// MeshConfig is the name of istiod's ConfigMap ("istio").
	MeshConfig string
}

// Rights are the rules by which an Engine, without the controller around it,
// may do all it does, by namespace; the empty one is the whole cluster. It also
// reads the gateways' Secrets unless it is told not to (WithoutSecrets).
func Rights(w Where) map[string][]rbac.PolicyRule {
	rights := map[string][]rbac.PolicyRule{
		"":             access.Rules(access.Everywhere, w.MeshConfig),
		w.Gateways:     append(access.Rules(access.Gateways, w.MeshConfig), rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}),
		w.ControlPlane: access.Rules(access.ControlPlane, w.MeshConfig),
	}
	for _, n := range w.Services {
		rights[n] = access.Rules(access.Services, w.MeshConfig)
	}
	for n := range rights {
		rights[n] = slices.DeleteFunc(rights[n], ofController)
	}
	return rights
}

// VerifyRights are the rules by which an Engine may Verify, Explain and Diff, by
// namespace. They write nothing, but a port-forward to a gateway reaches Envoy's
// admin port, which can do more than be read: they are for people, not for the
// controller.
func VerifyRights(w Where) map[string][]rbac.PolicyRule {
	list, get := []string{"list"}, []string{"get"}
	rights := map[string][]rbac.PolicyRule{
		"": {
			{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: list},
			{APIGroups: []string{"networking.istio.io"}, Resources: []string{"destinationrules", "envoyfilters", "gateways", "serviceentries", "virtualservices"}, Verbs: list},
			{APIGroups: []string{"security.istio.io"}, Resources: []string{"authorizationpolicies"}, Verbs: list},
			{APIGroups: []string{"extensions.istio.io"}, Resources: []string{"wasmplugins"}, Verbs: list},
		},
		w.ControlPlane: {{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{w.MeshConfig}, Verbs: get}},
	}
	rights[w.Gateways] = append(rights[w.Gateways],
		rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: list},
		// A port-forward by websocket is a get, one by SPDY a create.
		rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/portforward"}, Verbs: []string{"create", "get"}},
		rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: get},
		rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: get},
		rbac.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{inventory.Name}, Verbs: get})
	rights[w.Gateways] = append(rights[w.Gateways], access.Compared(access.Gateways)...)
	for _, n := range w.Services {
		rights[n] = append(rights[n], access.Compared(access.Services)...)
	}
	return rights
}

// ofController are rules that only the loop around the engine needs.
func ofController(r rbac.PolicyRule) bool {
	return slices.Contains([]string{api.Group, "events.k8s.io"}, r.APIGroups[0])
}
