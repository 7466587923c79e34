package access

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Grant is the RBAC that gives rights to a subject.
type Grant struct {
	// Name of the roles and their bindings.
	Name    string
	Subject rbac.Subject
	// Namespaces that the roles need and the subject may not make.
	Namespaces []corev1.Namespace
	Rights     []Right
}

// YAML is the grant as documents for `kubectl apply -f -`.
func (g Grant) YAML() (string, error) {
	var objects []runtime.Object
	for i := range g.Namespaces {
		n := g.Namespaces[i].DeepCopy()
		n.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}
		objects = append(objects, n)
	}
	for _, namespace := range namespaces(g.Rights) {
		objects = append(objects, g.role(namespace)...)
	}
	var documents []string
	for _, o := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return "", fmt.Errorf("access: %w", err)
		}
		// Neither is anything that one would grant.
		delete(fields, "status")
		delete(fields["metadata"].(map[string]any), "creationTimestamp") //nolint:forcetypeassert // ToUnstructured made it
		text, err := yaml.Marshal(fields)
		if err != nil {
			return "", fmt.Errorf("access: %w", err)
		}
		documents = append(documents, string(text))
	}
	return strings.Join(documents, "---\n"), nil
}

// role is the role of a namespace, or of the cluster, and its binding.
func (g Grant) role(namespace string) []runtime.Object {
	meta := metav1.ObjectMeta{Name: g.Name, Namespace: namespace}
	role, binding := metav1.TypeMeta{APIVersion: rbac.SchemeGroupVersion.String(), Kind: "Role"}, metav1.TypeMeta{APIVersion: rbac.SchemeGroupVersion.String(), Kind: "RoleBinding"}
	ref := rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: g.Name}
	if namespace != "" {
		return []runtime.Object{
			&rbac.Role{TypeMeta: role, ObjectMeta: meta, Rules: g.rules(namespace)},
			&rbac.RoleBinding{TypeMeta: binding, ObjectMeta: meta, RoleRef: ref, Subjects: []rbac.Subject{g.Subject}},
		}
	}
	role.Kind, binding.Kind, ref.Kind = "ClusterRole", "ClusterRoleBinding", "ClusterRole"
	return []runtime.Object{
		&rbac.ClusterRole{TypeMeta: role, ObjectMeta: meta, Rules: g.rules(namespace)},
		&rbac.ClusterRoleBinding{TypeMeta: binding, ObjectMeta: meta, RoleRef: ref, Subjects: []rbac.Subject{g.Subject}},
	}
}

// rules of a namespace. RBAC grants nothing by name to create, so that a right
// with names becomes two rules.
func (g Grant) rules(namespace string) []rbac.PolicyRule {
	var rules []rbac.PolicyRule
	for _, r := range g.Rights {
		if r.Namespace != namespace {
			continue
		}
		rule := rbac.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource}, Verbs: slices.Clone(r.Verbs), ResourceNames: r.Names}
		if i := slices.Index(rule.Verbs, "create"); len(r.Names) > 0 && i >= 0 {
			rule.Verbs = slices.Delete(rule.Verbs, i, i+1)
			rules = append(rules, rbac.PolicyRule{APIGroups: rule.APIGroups, Resources: rule.Resources, Verbs: []string{"create"}})
		}
		if len(rule.Verbs) > 0 {
			rules = append(rules, rule)
		}
	}
	return rules
}
