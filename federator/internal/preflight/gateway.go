package preflight

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// gateway checks that the declared gateway is there: its Service, the port, the
// labels of its pods, and its certificate.
func (k *checker) gateway(g side) {
	subject := fmt.Sprintf("Service %s/%s (%s of Mesh/%s)", g.Namespace, g.Service, g.field, k.spec.Mesh.Name)
	svc := k.snap.services[render.Name{Namespace: g.Namespace, Name: g.Service}]
	if svc == nil {
		k.problem(subject, "not found", "deploy the private gateway first")
	} else {
		if !slices.Contains(ports(svc), int64(g.Port)) {
			k.problem(subject, fmt.Sprintf("has no port %d", g.Port), "add the port or correct "+g.field+".port")
		}
		if !subsetOf(g.Selector, podLabels(svc)) {
			k.problem(subject, "does not select pods by "+labels(g.Selector), "make "+g.field+".selector the labels of the gateway's pods")
		}
	}
	for _, name := range g.credentials {
		if !k.options.SecretsUnread {
			k.credential(g.Namespace, name)
		}
	}
}

func (k *checker) credential(namespace, name string) {
	subject := fmt.Sprintf("Secret %s/%s", namespace, name)
	keys, ok := k.snap.secretKeys[render.Name{Namespace: namespace, Name: name}]
	if !ok {
		k.problem(subject, "not found", "create it with tls.crt, tls.key and ca.crt (the root that signs the peers)")
		return
	}
	for _, key := range []string{"tls.crt", "tls.key"} {
		if !slices.Contains(keys, key) {
			k.problem(subject, "has no key "+key, "add it: the gateway has no certificate without it")
		}
	}
	caKeys := k.snap.secretKeys[render.Name{Namespace: namespace, Name: name + "-cacert"}]
	if !slices.Contains(keys, "ca.crt") && !slices.Contains(caKeys, "ca.crt") {
		k.problem(subject, "has no key ca.crt, nor is there a Secret "+name+"-cacert with it",
			"add the root that signs the peers: nobody can be verified without it")
	}
}

// policies refuses an ALLOW policy of another owner on a gateway: policies add
// up, so it would open what the declarations keep shut.
func (k *checker) policies(g side) {
	w := k.snap.workload(g)
	root := k.spec.Mesh.Spec.ControlPlane.RootNamespace()
	for i := range k.snap.policies {
		p := &k.snap.policies[i]
		if !k.foreign(p) || p.GetNamespace() != g.Namespace && p.GetNamespace() != root {
			continue
		}
		action, _, _ := unstructured.NestedString(p.Object, "spec", "action")
		rules, _, _ := unstructured.NestedSlice(p.Object, "spec", "rules")
		if action != "" && action != "ALLOW" || len(rules) == 0 {
			continue
		}
		selectors := selectorsOf(p, g.Namespace)
		if n := slices.IndexFunc(selectors, w.fits); n >= 0 {
			k.conflict(p, fmt.Sprintf("it allows requests at the gateway %s/%s beside the declarations%s; narrow its selector or remove it", g.Namespace, g.Service, w.doubt(selectors[n])))
		}
	}
}

// listeners refuses Gateways of other owners on the same pods that share the
// port, or that pass TLS through to any service (AUTO_PASSTHROUGH), which no
// policy sees.
func (k *checker) listeners(g side) {
	w := k.snap.workload(g)
	for i := range k.snap.gateways {
		o := &k.snap.gateways[i]
		sel, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		if !k.foreign(o) || !w.fits(sel) {
			continue
		}
		servers, _, _ := unstructured.NestedSlice(o.Object, "spec", "servers")
		for _, s := range servers {
			server, _ := s.(map[string]any)
			mode, _, _ := unstructured.NestedString(server, "tls", "mode")
			number, _, _ := unstructured.NestedInt64(server, "port", "number")
			switch {
			case mode == "AUTO_PASSTHROUGH":
				k.conflict(o, fmt.Sprintf("AUTO_PASSTHROUGH on the gateway %s/%s reaches any service past its policies%s; remove it or give the federation a gateway of its own", g.Namespace, g.Service, w.doubt(sel)))
			case number == int64(g.Port):
				k.conflict(o, fmt.Sprintf("it listens on port %d of the gateway %s/%s too%s; remove it or give the federation a gateway of its own", g.Port, g.Namespace, g.Service, w.doubt(sel)))
			}
		}
	}
}

// elsewhere refuses to begin a second boundary of this mesh beside one that the
// wish's inventory does not list, because a gateway has moved to another namespace
// or is declared no more: nothing of the first would ever be withdrawn. It is
// looked for whatever the wish uses; a wish for nothing is the one that withdraws.
func (k *checker) elsewhere() {
	home := k.spec.Mesh.Spec.Home()
	for i := range k.snap.gateways {
		o := &k.snap.gateways[i]
		at := render.InventoryOf(o)
		if k.foreign(o) || at == home || k.options.Inventory.Lists(kube.RefOf(o)) {
			continue
		}
		k.report.Elsewhere = append(k.report.Elsewhere, Conflict{ConflictError: &kube.ConflictError{Object: kube.RefOf(o),
			Reason: fmt.Sprintf("mesh %s still has a boundary whose inventory is in namespace %s, and these declarations look for it in %s; cancel there first: with the gateways as they were declared, federator cancel, or delete the Mesh if a controller keeps it", k.spec.Mesh.Name, at, home)}})
	}
}

func podLabels(svc *unstructured.Unstructured) map[string]string {
	sel, _, _ := unstructured.NestedStringMap(svc.Object, "spec", "selector")
	return sel
}

func labels(sel map[string]string) string {
	out := make([]string, 0, len(sel))
	for key, v := range sel {
		out = append(out, key+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

func ports(svc *unstructured.Unstructured) []int64 {
	list, _, _ := unstructured.NestedSlice(svc.Object, "spec", "ports")
	var out []int64
	for _, p := range list {
		m, _ := p.(map[string]any)
		n, _, _ := unstructured.NestedInt64(m, "port")
		out = append(out, n)
	}
	return out
}
