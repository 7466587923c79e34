package bench

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/istio"
)

// fixtureNamespaces are where the features' workloads are.
func fixtureNamespaces() []string { return []string{metav1.NamespaceDefault, "bookinfo"} }

// reservedNamespaces are those in which a run on borrowed clusters has to be alone.
func reservedNamespaces() []string {
	return append(fixtureNamespaces(), istio.GatewayNamespace, ownNamespace, thirdMeshNamespace)
}

// rootNamespace is the mesh's: what is in it holds everywhere, and some of it is
// its owner's.
func rootNamespace() []string { return []string{istio.SystemNamespace} }

// thirdMeshNamespace is where c3, if there is one, has a workload more.
const thirdMeshNamespace = "consumer"

// Namespaces are those that a user who may make none has to find in a cluster.
// What is there already is not changed, and stays.
func Namespaces() []corev1.Namespace {
	var all []corev1.Namespace
	for _, name := range append(fixtureNamespaces()[1:], ownNamespace) {
		all = append(all, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	return all
}

// confidential are the namespaces of a borrowed lab whose Secrets concern the
// harness; none means that all do.
func confidential(lab cluster.Lab) []string {
	if !cluster.Borrowed(lab) {
		return nil
	}
	return append(fixtureNamespaces(), istio.GatewayNamespace, ownNamespace)
}

// concerned are the namespaces of a borrowed lab that the features are about;
// none means that all are. What the others hold and say is nobody else's business.
func concerned(lab cluster.Lab) []string {
	if !cluster.Borrowed(lab) {
		return nil
	}
	return append(reservedNamespaces(), rootNamespace()...)
}

// Rights are what the harness needs in a cluster in which nothing was made for
// it. An engine's own are not among them.
func Rights() []access.Right {
	rights := append(lookRights(), ownRights()...)
	rights = append(rights, gatewayRights()...)
	for _, namespace := range fixtureNamespaces() {
		rights = append(rights, fixtureRights(namespace)...)
	}
	return append(append(rights, besideRights()...), ownerRights()...)
}

// besideRights are to see kinds that an engine has less reason to write; without
// one of them nobody looks there.
func besideRights() []access.Right {
	const why = "to see what an engine has left behind of this kind, where nobody looks without it"
	look := func(namespace, group, resource string) access.Right {
		return access.Right{Namespace: namespace, Group: group, Resource: resource, Verbs: []string{"list"}, Optional: true, Why: why}
	}
	rights := []access.Right{
		look("", "", "namespaces"), look("", "networking.istio.io", "workloadgroups"), look("", "networking.istio.io", "proxyconfigs"),
		look("", "telemetry.istio.io", "telemetries"), look("", "extensions.istio.io", "wasmplugins"),
	}
	for _, namespace := range append(fixtureNamespaces(), istio.GatewayNamespace, ownNamespace) {
		rights = append(rights, look(namespace, "", "serviceaccounts"),
			look(namespace, "rbac.authorization.k8s.io", "roles"), look(namespace, "rbac.authorization.k8s.io", "rolebindings"))
	}
	return rights
}

// ownerRights are those of the persons in the features who change their own
// mesh beside the engine.
func ownerRights() []access.Right {
	const why = "what the features' owners have in their meshes beside the engine"
	rights := []access.Right{
		{Namespace: istio.GatewayNamespace, Resource: "configmaps", Verbs: whole(), Why: why},
		{Namespace: istio.GatewayNamespace, Group: "networking.istio.io", Resource: "gateways", Verbs: whole(), Why: why},
		{Namespace: istio.GatewayNamespace, Group: "networking.istio.io", Resource: "envoyfilters", Verbs: whole(), Why: why},
	}
	for _, namespace := range fixtureNamespaces() {
		rights = append(rights,
			access.Right{Namespace: namespace, Group: "networking.istio.io", Resource: "virtualservices", Verbs: whole(), Why: why},
			access.Right{Namespace: namespace, Group: "security.istio.io", Resource: "authorizationpolicies", Verbs: whole(), Why: why})
	}
	return rights
}

func whole() []string { return []string{"get", "list", "watch", "create", "patch", "delete"} }

// lookRights are read-only and of the whole cluster; Secrets are not in them.
func lookRights() []access.Right {
	const (
		leftovers = "to see what an engine has left behind, wherever that is"
		targets   = "to find what other meshes must not reach"
	)
	rights := []access.Right{
		{Resource: "namespaces", Names: []string{metav1.NamespaceDefault, "bookinfo", ownNamespace}, Verbs: []string{"get"}, Why: "to see whether they are there"},
		{Resource: "namespaces", Names: []string{"bookinfo", ownNamespace}, Verbs: []string{"list", "watch", "create", "patch", "delete"}, Optional: true,
			Why: "to make and remove them, unless they are there beforehand"},
		{Resource: "pods", Verbs: []string{"list"}, Why: targets},
		{Resource: "nodes", Verbs: []string{"list"}, Why: targets},
		{Resource: "services", Verbs: []string{"list"}, Why: leftovers},
		{Group: "apps", Resource: "deployments", Verbs: []string{"list"}, Why: "to find the workloads that count what arrives"},
	}
	for _, kind := range []struct{ group, resource string }{
		{"networking.istio.io", "gateways"}, {"networking.istio.io", "virtualservices"}, {"networking.istio.io", "destinationrules"},
		{"networking.istio.io", "serviceentries"}, {"networking.istio.io", "workloadentries"}, {"networking.istio.io", "sidecars"},
		{"networking.istio.io", "envoyfilters"}, {"networking.k8s.io", "networkpolicies"},
		{"security.istio.io", "authorizationpolicies"}, {"security.istio.io", "peerauthentications"}, {"security.istio.io", "requestauthentications"},
	} {
		rights = append(rights, access.Right{Group: kind.group, Resource: kind.resource, Verbs: []string{"list"}, Why: leftovers})
	}
	return rights
}

func ownRights() []access.Right {
	return []access.Right{
		{Namespace: ownNamespace, Resource: "secrets", Verbs: []string{"get", "list", "watch", "create", "delete"}, Why: "the root of the test certificates"},
		{Namespace: ownNamespace, Resource: "configmaps", Verbs: []string{"list"}, Why: "to see what an engine has left behind"},
	}
}

func gatewayRights() []access.Right {
	const evidence = "evidence of a scenario that failed"
	n := istio.GatewayNamespace
	return []access.Right{
		{Namespace: n, Resource: "secrets", Verbs: whole(), Why: "the gateways' test certificates"},
		{Namespace: n, Resource: "configmaps", Verbs: []string{"list"}, Why: "to see what an engine has left behind"},
		{Namespace: n, Resource: "services", Verbs: []string{"get"}, Why: "the address of the private gateway"},
		{Namespace: n, Group: "apps", Resource: "deployments", Verbs: []string{"get", "list", "watch"}, Why: "to see that the private gateways run"},
		{Namespace: n, Resource: "pods/exec", Verbs: []string{"get", "create"}, Optional: true, Why: evidence},
		{Namespace: n, Resource: "pods/log", Verbs: []string{"get"}, Optional: true, Why: evidence + ", and where the time of a request goes"},
		{Namespace: n, Resource: "pods/portforward", Verbs: []string{"get", "create"}, Optional: true, Why: "federator explain, which looks into the gateways"},
		{Namespace: istio.SystemNamespace, Resource: "pods/exec", Verbs: []string{"get", "create"}, Optional: true, Why: evidence},
	}
}

func fixtureRights(namespace string) []access.Right {
	const bookinfo = "Bookinfo, from which requests come and at which they arrive"
	rights := []access.Right{
		{Namespace: namespace, Group: "apps", Resource: "deployments", Verbs: whole(), Why: bookinfo},
		{Namespace: namespace, Group: "networking.istio.io", Resource: "destinationrules", Verbs: whole(), Why: bookinfo},
		{Namespace: namespace, Resource: "pods/exec", Verbs: []string{"get", "create"}, Why: "to send requests and to see them arrive"},
		{Namespace: namespace, Resource: "pods", Verbs: []string{"watch"}, Why: "to see the pods of a service go when its owner retires it"},
		{Namespace: namespace, Resource: "pods/log", Verbs: []string{"get"}, Optional: true, Why: "where the time of a request goes"},
		{Namespace: namespace, Resource: "secrets", Verbs: []string{"list"}, Why: "to see what an engine has left behind"},
		{Namespace: namespace, Resource: "configmaps", Verbs: []string{"list"}, Why: "to see what an engine has left behind"},
	}
	for _, resource := range []string{"serviceaccounts", "services"} {
		rights = append(rights, access.Right{Namespace: namespace, Resource: resource, Verbs: whole(), Why: bookinfo})
	}
	if namespace == metav1.NamespaceDefault {
		rights = append(rights, access.Right{Namespace: namespace, Group: "batch", Resource: "jobs", Verbs: []string{"create", "delete"}, Optional: true, Why: "to send load by a job (--load-from job)"},
			access.Right{Namespace: namespace, Group: "discovery.k8s.io", Resource: "endpointslices", Verbs: []string{"list"}, Why: "to find what other meshes must not reach"})
	}
	return rights
}
