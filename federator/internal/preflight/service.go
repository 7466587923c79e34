package preflight

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
)

func (k *checker) exposed() {
	for _, e := range k.spec.Exposures {
		gateway := k.spec.Mesh.Spec.Ingress.Namespace
		if k.readable(e.Key()) && k.service(e.Key(), e.Spec.Service, true) && e.Spec.Service.Subset != "" {
			k.subset(e.Key(), e.Spec.Service.Name, e.Spec.Service.Subset, gateway)
		}
		k.redefined(e.Key(), e.Spec.Service.Name, gateway)
	}
}

func (k *checker) consumed() {
	for _, c := range k.spec.Consumptions {
		local := slices.ContainsFunc(c.Spec.Routes, func(r api.Route) bool {
			return slices.ContainsFunc(r.To, func(d api.Destination) bool { return d.Target == api.TargetLocal })
		})
		if !k.readable(c.Key()) || !k.service(c.Key(), c.Spec.Service, local) || !local {
			continue
		}
		for _, r := range c.Spec.Routes {
			for _, d := range r.To {
				if d.Subset != "" {
					k.subset(c.Key(), c.Spec.Service.Name, d.Subset, c.Namespace)
				}
			}
		}
	}
}

// readable says whether the namespace of a declaration could be read; it is a
// problem when not.
func (k *checker) readable(by api.Key) bool {
	err, unread := k.snap.unread[by.Namespace]
	if unread {
		k.problemOf(by, fmt.Sprintf("Namespace %s (%s)", by.Namespace, by), "cannot be read: "+err.Error(),
			"give the engine its rights there, or take the declaration back")
	}
	return !unread
}

// service checks a Service in the declaration's namespace and says whether it is
// fit for use. A consumed name need not exist unless a route stays local.
func (k *checker) service(by api.Key, want api.Service, needed bool) bool {
	subject := fmt.Sprintf("Service %s/%s (%s)", by.Namespace, want.Name, by)
	svc := k.snap.services[render.Name{Namespace: by.Namespace, Name: want.Name}]
	if svc != nil && render.Placeholder(svc) {
		svc = nil // it serves nothing
	}
	if svc == nil {
		if needed {
			k.problemOf(by, subject, "not found", "create the Service, or correct its name or namespace")
		}
		return !needed
	}
	if kind, _, _ := unstructured.NestedString(svc.Object, "spec", "type"); kind == "ExternalName" {
		k.problemOf(by, subject, "is an ExternalName, which leads elsewhere by DNS and around the gateways", "make it a Service of type ClusterIP")
		return false
	}
	if !slices.Contains(ports(svc), int64(want.Port)) {
		k.problemOf(by, subject, fmt.Sprintf("has no port %d", want.Port), fmt.Sprintf("add the port or name one of %v", ports(svc)))
		return false
	}
	return true
}

// subset checks that a DestinationRule of the owner defines it: Envoy answers
// 503 for a subset that nobody defines.
func (k *checker) subset(by api.Key, service, subset, seenFrom string) {
	for i := range k.snap.rules {
		r := &k.snap.rules[i]
		host, _, _ := unstructured.NestedString(r.Object, "spec", "host")
		if r.GetNamespace() != by.Namespace || k.fullName(host, r.GetNamespace()) != k.spec.Mesh.Spec.FQDN(service, by.Namespace) {
			continue
		}
		if visible(r, seenFrom) && slices.Contains(subsets(r), subset) {
			return
		}
	}
	k.problemOf(by, fmt.Sprintf("Service %s/%s (%s)", by.Namespace, service, by),
		fmt.Sprintf("no DestinationRule in namespace %s that namespace %s can see defines its subset %s", by.Namespace, seenFrom, subset),
		"define the subset, or leave it out of the declaration")
}

// redefined refuses a DestinationRule in the gateway's own namespace for an exposed
// service: Istio looks there first, so that it, and not the owner's, says which pods
// a subset is, and whether the gateway calls them by TLS.
func (k *checker) redefined(by api.Key, service, seenFrom string) {
	for i := range k.snap.rules {
		r := &k.snap.rules[i]
		host, _, _ := unstructured.NestedString(r.Object, "spec", "host")
		if r.GetNamespace() == seenFrom && seenFrom != by.Namespace && k.foreign(r) &&
			HostCovers(k.fullName(host, seenFrom), k.spec.Mesh.Spec.FQDN(service, by.Namespace)) {
			k.conflictOf(by, r, fmt.Sprintf("it says in the gateway's namespace how Service %s/%s is reached, and Istio looks there first; remove it, or move it to namespace %s", by.Namespace, service, by.Namespace))
		}
	}
}

func subsets(rule *unstructured.Unstructured) []string {
	list, _, _ := unstructured.NestedSlice(rule.Object, "spec", "subsets")
	var out []string
	for _, s := range list {
		m, _ := s.(map[string]any)
		name, _, _ := unstructured.NestedString(m, "name")
		out = append(out, name)
	}
	return out
}

// visible reads exportTo: absent or "*" is everybody, "." the own namespace.
func visible(o *unstructured.Unstructured, from string) bool {
	to, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "exportTo")
	if len(to) == 0 {
		return true
	}
	return slices.ContainsFunc(to, func(t string) bool {
		return t == "*" || t == from || t == "." && o.GetNamespace() == from
	})
}
