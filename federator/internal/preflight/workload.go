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
