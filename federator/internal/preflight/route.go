package preflight

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// routes refuses VirtualServices of other owners for a host that the wish
// routes. Istio lets one of two win for sidecars and joins them at a gateway;
// neither tells anybody.
func (k *checker) routes() {
	hosts := map[render.Name]api.Key{} // consuming namespace and FQDN -> declaration
	for _, c := range k.spec.Consumptions {
		hosts[render.Name{Namespace: c.Namespace, Name: k.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace)}] = c.Key()
	}
	for i := range k.snap.virtualServices {
		v := &k.snap.virtualServices[i]
		if !k.foreign(v) {
			continue
		}
		k.meshRoute(v, hosts)
		k.gatewayRoute(v)
	}
}

func (k *checker) meshRoute(v *unstructured.Unstructured, hosts map[render.Name]api.Key) {
	if bound, _, _ := unstructured.NestedStringSlice(v.Object, "spec", "gateways"); len(bound) > 0 && !slices.Contains(bound, "mesh") {
		return
	}
	claimed, _, _ := unstructured.NestedStringSlice(v.Object, "spec", "hosts")
	for _, h := range claimed {
		full := k.fullName(h, v.GetNamespace())
		for at, by := range hosts {
			if at.Name == full && visible(v, at.Namespace) {
				k.conflictOf(by, v, fmt.Sprintf("it routes %s in namespace %s, as %s does; one host has one VirtualService: remove it, the declaration can hold its routes", full, at.Namespace, by))
			}
		}
	}
}

// gatewayRoute refuses routes that others hang on our Gateways.
func (k *checker) gatewayRoute(v *unstructured.Unstructured) {
	bound, _, _ := unstructured.NestedStringSlice(v.Object, "spec", "gateways")
	for _, g := range gateways(k.spec) {
		for _, b := range bound {
			if at := gatewayName(b, v.GetNamespace()); at.Namespace == g.Namespace && at.Name == g.object {
				k.conflict(v, fmt.Sprintf("it is bound to the Gateway %s/%s that the declarations own; remove it", at.Namespace, at.Name))
			}
		}
	}
}

// gatewayName resolves the name of a Gateway as Istio does (resolveGatewayName in
// its pilot/pkg/model): name, ./name, ns/name, and of old name.ns and
// name.ns.svc.cluster.local, of which only the first two parts count.
func gatewayName(text, namespace string) render.Name {
	if ns, name, ok := strings.Cut(text, "/"); ok {
		if ns == "." {
			ns = namespace
		}
		return render.Name{Namespace: ns, Name: name}
	}
	name, rest, ok := strings.Cut(text, ".")
	if !ok {
		return render.Name{Namespace: namespace, Name: name}
	}
	ns, _, _ := strings.Cut(rest, ".")
	return render.Name{Namespace: ns, Name: name}
}

func (k *checker) fullName(host, namespace string) string {
	return FullName(k.spec.Mesh.Spec, host, namespace)
}

// FullName resolves a host as Istio does: a name without dots belongs to the
// namespace of the object that names it, and capitals make no difference.
func FullName(mesh api.MeshSpec, host, namespace string) string {
	host = strings.ToLower(host)
	if host == "" || host == "*" || strings.Contains(host, ".") {
		return host
	}
	return mesh.FQDN(host, namespace)
}

// HostCovers says whether a host, read as Istio does, is a name or a wildcard above it.
func HostCovers(host, name string) bool {
	if rest, wild := strings.CutPrefix(host, "*"); wild {
		return strings.HasSuffix(strings.ToLower(name), strings.ToLower(rest))
	}
	return strings.EqualFold(host, name)
}
