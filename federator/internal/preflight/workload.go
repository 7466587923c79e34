package preflight

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// workload is what is known of the labels of a gateway's pods. Charts give them
// more than the Mesh and the Service name, and an object of another owner can
// select the pods by any of them.
type workload struct {
	// named are those of the Mesh and of the Service.
	named map[string]string
	// pods are all labels of each pod. Empty: none was seen.
	pods []map[string]string
}

func (s *snapshot) workload(g side) workload {
	w := workload{named: map[string]string{}}
	if svc := s.services[render.Name{Namespace: g.Namespace, Name: g.Service}]; svc != nil {
		for key, v := range podLabels(svc) {
			w.named[key] = v
		}
	}
	for key, v := range g.Selector {
		w.named[key] = v
	}
	for _, pod := range s.pods[g.Namespace] {
		if subsetOf(g.Selector, pod) {
			w.pods = append(w.pods, pod)
		}
	}
	return w
}

// fits says whether a selector takes the gateway. While no pod was seen, a label
// that nobody names may be there: only another value of one that is named is a
// difference.
func (w workload) fits(sel map[string]string) bool {
	if len(w.pods) > 0 {
		return slices.ContainsFunc(w.pods, func(pod map[string]string) bool { return subsetOf(sel, pod) })
	}
	for key, v := range sel {
		if is, named := w.named[key]; named && is != v {
			return false
		}
	}
	return true
}

// doubt says what makes a selector fit only perhaps, if anything does.
func (w workload) doubt(sel map[string]string) string {
	var unknown []string
	for key := range sel {
		if _, named := w.named[key]; !named {
			unknown = append(unknown, key)
		}
	}
	if len(w.pods) > 0 || len(unknown) == 0 {
		return ""
	}
	slices.Sort(unknown)
	return fmt.Sprintf(" if its pods have the label %s, and none was seen: start them, and let the engine list pods there", strings.Join(unknown, ", "))
}

// gatewayNameLabel is the label of the pods that Istio runs for a Gateway of the Gateway
// API.
const gatewayNameLabel = "gateway.networking.k8s.io/gateway-name"

// selectorsOf are the labels by which a policy applies; one set that fits is enough.
// One with target references applies to what the Gateway API has made and to nothing
// else, in its own namespace (ShouldAttachPolicy in Istio's pilot/pkg/model). Waypoints,
// which have other targets, are no gateways of ours.
func selectorsOf(policy *unstructured.Unstructured, namespace string) []map[string]string {
	refs, _, _ := unstructured.NestedSlice(policy.Object, "spec", "targetRefs")
	if ref, is, _ := unstructured.NestedMap(policy.Object, "spec", "targetRef"); is && len(refs) == 0 {
		refs = []any{ref}
	}
	if len(refs) == 0 {
		sel, _, _ := unstructured.NestedStringMap(policy.Object, "spec", "selector", "matchLabels")
		return []map[string]string{sel}
	}
	var out []map[string]string
	for _, r := range refs {
		ref, _ := r.(map[string]any)
		if name, _, _ := unstructured.NestedString(ref, "name"); ref["kind"] == "Gateway" && policy.GetNamespace() == namespace {
			out = append(out, map[string]string{gatewayNameLabel: name})
		}
	}
	return out
}

// Selects says whether a selector, read as Istio does, takes the pods of a
// gateway; its Service and its pods are among the objects, as far as there are any.
func Selects(selector map[string]string, objects []unstructured.Unstructured, g api.Gateway) bool {
	return sorted(api.Spec{}, objects).workload(side{Gateway: &g}).fits(selector)
}

// subsetOf is how Istio reads a selector: an empty one selects everything.
func subsetOf(sel, set map[string]string) bool {
	for key, v := range sel {
		if set[key] != v {
			return false
		}
	}
	return true
}
