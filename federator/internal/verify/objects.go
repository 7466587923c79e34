package verify

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/preflight"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// objects holds what stands in the cluster against the wish.
func (c *checker) objects() {
	there := map[kube.Ref]*unstructured.Unstructured{}
	for i := range c.Objects {
		there[kube.RefOf(&c.Objects[i])] = &c.Objects[i]
	}
	wanted := map[kube.Ref]bool{}
	for _, o := range c.Wanted {
		ref := kube.RefOf(o)
		wanted[ref] = true
		c.report.Objects++
		c.object(o, there[ref])
	}
	for ref, o := range there {
		if wanted[ref] || o.GetKind() == "Pod" {
			continue
		}
		if render.Owned(o, c.Spec.Mesh.Name) && (o.GetKind() != "Service" || render.Placeholder(o)) {
			c.about(o, ObjectExtra, "it is labelled as the engine's, and no declaration asks for it")
			continue
		}
		c.report.Foreign++
		c.foreign(o)
	}
	c.boundary()
}

func (c *checker) about(o *unstructured.Unstructured, kind Kind, detail string) {
	c.find(Finding{Kind: kind, Where: kube.RefOf(o).String(), Declaration: strings.Join(render.DeclaredBy(o), ", "), Detail: detail})
}

// object compares one by what it says to Istio. Istio's kinds have no defaults that
// the API server would fill in; a Service has, and counts by what was asked for.
func (c *checker) object(want, is *unstructured.Unstructured) {
	if is == nil {
		c.about(want, ObjectMissing, "it does not exist")
		return
	}
	if !render.Owned(is, c.Spec.Mesh.Name) {
		c.about(want, ObjectChanged, "somebody else's object has its name")
		return
	}
	if where := difference("spec", want.Object["spec"], is.Object["spec"], want.GetKind() != "Service"); where != "" {
		c.about(want, ObjectChanged, where)
		return
	}
	if where := cmp.Or(
		difference("metadata.labels", read(want.GetLabels()), read(is.GetLabels()), want.GetKind() != "Service"),
		difference("metadata.annotations", read(want.GetAnnotations()), read(is.GetAnnotations()), want.GetKind() != "Service"),
	); where != "" {
		c.about(want, ObjectChanged, where)
		return
	}
	if to, _, _ := unstructured.NestedString(is.Object, "spec", "externalName"); to != "" {
		c.about(want, ObjectChanged, "it leads to "+to+" by DNS")
	}
	if sel, found, _ := unstructured.NestedStringMap(is.Object, "spec", "selector"); want.GetKind() == "Service" && found && len(sel) > 0 {
		c.about(want, ObjectChanged, "it has got a selector, so that workloads here answer for the peer")
	}
}

// read is what Istio reads of labels or annotations.
func read(all map[string]string) map[string]any {
	out := map[string]any{}
	for key, value := range all {
		if render.ReadByIstio(key) {
			out[key] = value
		}
	}
	return out
}

// difference names the first place in which two values are not the same; empty
// when there is none. Exact counts fields that only the second one has.
func difference(at string, want, is any, exact bool) string {
	w, isMap := want.(map[string]any)
	i, both := is.(map[string]any)
	if !isMap || !both {
		if reflect.DeepEqual(want, is) {
			return ""
		}
		return fmt.Sprintf("%s is %v; declared: %v", at, is, want)
	}
	for _, key := range sortedKeys(w) {
		if d := difference(at+"."+key, w[key], i[key], exact); d != "" {
			return d
		}
	}
	if !exact {
		return ""
	}
	for _, key := range sortedKeys(i) {
		if _, known := w[key]; !known {
			return fmt.Sprintf("%s.%s is %v; declared: nothing", at, key, i[key])
		}
	}
	return ""
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for key := range m {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// boundary asks preflight what it would refuse to build beside.
func (c *checker) boundary() {
	report := preflight.Boundary(c.Spec, c.Objects)
	for _, p := range report.Problems {
		c.find(Finding{Kind: MeshConfig, Where: p.Subject, Detail: p.Reason + "; " + p.Fix})
	}
	for _, conflict := range report.Conflicts {
		by := ""
		if conflict.By.Kind != "" {
			by = conflict.By.String()
		}
		c.find(Finding{Kind: ForeignObject, Where: conflict.Object.String(), Declaration: by, Detail: conflict.Reason})
	}
}

// foreign judges what preflight does not: objects that change how a gateway
// works, or where a name leads that only the declarations may lead.
func (c *checker) foreign(o *unstructured.Unstructured) {
	switch o.GetKind() {
	case "EnvoyFilter", "WasmPlugin":
		for _, s := range sides(c.Spec) {
			if c.selects(o, s.gateway) {
				c.about(o, ForeignObject, fmt.Sprintf("it changes the Envoy of the %s gateway %s/%s in ways that no declaration says", s.Side, s.gateway.Namespace, s.gateway.Service))
			}
		}
	case "AuthorizationPolicy":
		if action, _, _ := unstructured.NestedString(o.Object, "spec", "action"); action == "CUSTOM" {
			for _, s := range sides(c.Spec) {
				if c.selects(o, s.gateway) {
					c.about(o, ForeignObject, "it lets somebody else decide about requests at the "+string(s.Side)+" gateway")
				}
			}
		}
	case "DestinationRule":
		host, _, _ := unstructured.NestedString(o.Object, "spec", "host")
		host = preflight.FullName(c.Spec.Mesh.Spec, host, o.GetNamespace())
		c.claim(o, host)
		c.redefines(o, host)
	case "ServiceEntry":
		hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hosts")
		for _, h := range hosts {
			c.claim(o, h)
		}
	}
}

// selects says whether an object applies to the pods of a gateway.
func (c *checker) selects(o *unstructured.Unstructured, g api.Gateway) bool {
	if o.GetNamespace() != g.Namespace && o.GetNamespace() != c.Spec.Mesh.Spec.ControlPlane.RootNamespace() {
		return false
	}
	sel, found, _ := unstructured.NestedStringMap(o.Object, "spec", "workloadSelector", "labels")
	if !found {
		sel, _, _ = unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	}
	return preflight.Selects(sel, c.Objects, g)
}

// claim refuses an object that says how a peer, or the egress gateway, is
// reached: the declarations say that.
func (c *checker) claim(o *unstructured.Unstructured, host string) {
	names := map[string]api.Key{}
	gatewayNamespace := ""
	if g := c.Spec.Mesh.Spec.Egress; g != nil {
		gatewayNamespace = g.Namespace
		names[c.Spec.Mesh.Spec.FQDN(g.Service, g.Namespace)] = c.Spec.Mesh.Key()
	}
	for i := range c.Spec.Peers {
		if p := &c.Spec.Peers[i]; p.Spec.SNI != "" {
			names[p.Spec.SNI] = p.Key()
		}
	}
	for name, by := range names {
		if preflight.HostCovers(host, name) && seenFrom(o, gatewayNamespace) {
			c.find(Finding{Kind: ForeignObject, Where: kube.RefOf(o).String(), Declaration: by.String(),
				Detail: fmt.Sprintf("it says how %s is reached, which only the declarations may", name)})
		}
	}
}

// redefines refuses a rule in the ingress gateway's namespace for what is exposed:
// Istio looks there first, and not where the owner of the service has his.
func (c *checker) redefines(o *unstructured.Unstructured, host string) {
	g := c.Spec.Mesh.Spec.Ingress
	if g == nil || o.GetNamespace() != g.Namespace {
		return
	}
	for i := range c.Spec.Exposures {
		e := &c.Spec.Exposures[i]
		if name := c.Spec.Mesh.Spec.FQDN(e.Spec.Service.Name, e.Namespace); e.Namespace != g.Namespace && preflight.HostCovers(host, name) {
			c.find(Finding{Kind: ForeignObject, Where: kube.RefOf(o).String(), Declaration: e.Key().String(),
				Detail: fmt.Sprintf("it says in the gateway's namespace how %s is reached, which only namespace %s may", name, e.Namespace)})
		}
	}
}

// seenFrom reads exportTo: absent or "*" is everybody, "." the own namespace.
func seenFrom(o *unstructured.Unstructured, namespace string) bool {
	to, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "exportTo")
	return len(to) == 0 || slices.ContainsFunc(to, func(t string) bool {
		return t == "*" || t == namespace || t == "." && o.GetNamespace() == namespace
	})
}

// Bears is a kind of object that Check looks at.
type Bears struct {
	APIVersion, Kind string
	// Optional kinds need not be known to the cluster.
	Optional bool
}

// Bearing are these kinds; their objects count in all namespaces. Services are
// among them because they say which pods are a gateway's.
func Bearing() []Bears {
	const networking, security = "networking.istio.io/v1", "security.istio.io/v1"
	return []Bears{
		{networking, "Gateway", false}, {networking, "VirtualService", false}, {networking, "DestinationRule", false},
		{networking, "ServiceEntry", false}, {security, "AuthorizationPolicy", false}, {"v1", "Service", false},
		{"networking.istio.io/v1alpha3", "EnvoyFilter", true}, {"extensions.istio.io/v1alpha1", "WasmPlugin", true},
	}
}
