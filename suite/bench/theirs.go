package bench

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// named is how an object of an owner's is called.
func named(o *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
}

// tampered says in words what is not as the owner of an object has it, given what
// the cluster held once she had applied it. A generation would not tell: it counts
// neither what a ConfigMap holds nor labels, annotations, owners and finalizers.
func tampered(applied, live *unstructured.Unstructured) []string {
	var found []string
	switch {
	case live.GetUID() != applied.GetUID():
		found = append(found, "made again: "+named(live))
	case !equality.Semantic.DeepEqual(wished(applied), wished(live)):
		found = append(found, "changed: "+named(live))
	}
	for _, entry := range live.GetManagedFields() {
		// A controller that says how an object fares writes to its status.
		if entry.Manager != ownerFieldManager && entry.Subresource == "" {
			found = append(found, fmt.Sprintf("%s has fields of %s", named(live), entry.Manager))
		}
	}
	return found
}

// wished is what somebody wants of an object, without the cluster's own notes.
func wished(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	o.SetGeneration(0)
	delete(o.Object, "status")
	return o.Object
}
