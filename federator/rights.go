package federator

import (
	"slices"

	rbac "k8s.io/api/rbac/v1"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/access"
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

// ofController are rules that only the loop around the engine needs.
func ofController(r rbac.PolicyRule) bool {
	return slices.Contains([]string{api.Group, "events.k8s.io"}, r.APIGroups[0])
}
