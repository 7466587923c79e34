package deploy

import (
	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshfed/meshfed/federator/internal/access"
)

// rights are the controller's account, and a role at each place. Where the
// declarations of all namespaces count, those namespaces' role holds everywhere.
func rights(o Options) []runtime.Object {
	out := []runtime.Object{&corev1.ServiceAccount{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: meta(o.Namespace, Name),
	}}
	for _, at := range access.Places() {
		rules, name := access.Rules(at, o.MeshConfig), Name+"-"+string(at)
		namespaces := map[access.Place][]string{
			access.Gateways: {o.GatewayNamespace}, access.ControlPlane: {o.RootNamespace},
			access.Services: o.Namespaces, access.Own: {o.Namespace},
		}[at]
		if len(namespaces) == 0 {
			out = append(out, everywhere(o, name, rules)...)
		}
		for _, n := range namespaces {
			out = append(out, within(o, n, name, rules)...)
		}
	}
	return out
}

func everywhere(o Options, name string, rules []rbac.PolicyRule) []runtime.Object {
	return []runtime.Object{
		&rbac.ClusterRole{TypeMeta: rbacType("ClusterRole"), ObjectMeta: meta("", name), Rules: rules},
		&rbac.ClusterRoleBinding{TypeMeta: rbacType("ClusterRoleBinding"), ObjectMeta: meta("", name),
			RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: name}, Subjects: account(o)},
	}
}

func within(o Options, namespace, name string, rules []rbac.PolicyRule) []runtime.Object {
	return []runtime.Object{
		&rbac.Role{TypeMeta: rbacType("Role"), ObjectMeta: meta(namespace, name), Rules: rules},
		&rbac.RoleBinding{TypeMeta: rbacType("RoleBinding"), ObjectMeta: meta(namespace, name),
			RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: name}, Subjects: account(o)},
	}
}

func rbacType(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbac.SchemeGroupVersion.String(), Kind: kind}
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels()}
}

func account(o Options) []rbac.Subject {
	return []rbac.Subject{{Kind: rbac.ServiceAccountKind, Name: Name, Namespace: o.Namespace}}
}
