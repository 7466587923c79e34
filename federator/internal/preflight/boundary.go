package preflight

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Boundary judges objects that have been read already, and only by what weakens
// the boundary: mesh config, and objects of other owners. Whether services and
// credentials are there is not its question.
func Boundary(spec api.Spec, objects []unstructured.Unstructured) Report {
	k := &checker{spec: spec, snap: sorted(spec, objects), options: Options{SecretsUnread: true}}
	k.meshConfigured()
	for _, g := range gateways(spec) {
		k.policies(g)
		k.listeners(g)
	}
	k.routes()
	slices.SortStableFunc(k.report.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.Error(), b.Error()) })
	return k.report
}

// sorted puts objects where the checks look for them.
func sorted(spec api.Spec, objects []unstructured.Unstructured) *snapshot {
	s := &snapshot{services: map[render.Name]*unstructured.Unstructured{}, pods: map[string][]map[string]string{}}
	for i := range objects {
		o := &objects[i]
		switch o.GetKind() {
		case "ConfigMap":
			if kube.RefOf(o) == meshConfigRef(spec) {
				s.meshConfig = o
			}
		case "Service":
			s.services[render.Name{Namespace: o.GetNamespace(), Name: o.GetName()}] = o
		case "Pod":
			s.pods[o.GetNamespace()] = append(s.pods[o.GetNamespace()], o.GetLabels())
		case "Gateway":
			s.gateways = append(s.gateways, *o)
		case "VirtualService":
			s.virtualServices = append(s.virtualServices, *o)
		case "AuthorizationPolicy":
			s.policies = append(s.policies, *o)
		}
	}
	return s
}
