package builtin

import (
	"maps"
	"slices"

	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/federator"
)

// Rights are what the engine needs in a cluster to federate services of those
// namespaces. It works with the harness's own credentials.
func Rights(services ...string) []access.Right {
	rules := federator.Rights(federator.Where{
		Gateways: istio.GatewayNamespace, ControlPlane: istio.SystemNamespace, Services: services, MeshConfig: "istio",
	})
	var rights []access.Right
	for _, namespace := range slices.Sorted(maps.Keys(rules)) {
		for _, r := range rules[namespace] {
			for _, resource := range r.Resources {
				rights = append(rights, access.Right{
					Namespace: namespace, Group: r.APIGroups[0], Resource: resource, Names: r.ResourceNames, Verbs: r.Verbs,
					Why: "what engine " + Name + " reads and writes",
				})
			}
		}
	}
	return rights
}
