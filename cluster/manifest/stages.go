package manifest

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// stages groups objects so that those of one group can be applied at once and
// every group only needs the ones before it: a pod needs its namespace, its
// service account and its secrets; a custom resource needs its definition; a
// webhook would refuse the objects of the very release that brings its server.
func stages(objects []*unstructured.Unstructured) [][]*unstructured.Unstructured {
	groups := make([][]*unstructured.Unstructured, 4)
	for _, o := range objects {
		n := stage(o.GetKind())
		groups[n] = append(groups[n], o)
	}
	return groups
}

func stage(kind string) int {
	switch kind {
	case "Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass":
		return 0
	case "ServiceAccount", "Secret", "ConfigMap", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "LimitRange", "ResourceQuota":
		return 1
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService":
		return 3
	default:
		return 2
	}
}
