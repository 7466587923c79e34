package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestWhatSomebodyElseDidToAnOwnersObjectIsNamed(t *testing.T) {
	const notes = "ConfigMap istio-private-gateways/notes"
	applied := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"owner": "c1"},
		"metadata": map[string]any{"name": "notes", "namespace": "istio-private-gateways", "uid": "1", "resourceVersion": "7"},
	}}
	applied.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: ownerFieldManager, Operation: metav1.ManagedFieldsOperationApply}})
	for name, c := range map[string]struct {
		by   func(o *unstructured.Unstructured)
		want []string
	}{
		"nothing":      {func(*unstructured.Unstructured) {}, nil},
		"book-keeping": {func(o *unstructured.Unstructured) { o.SetResourceVersion("8"); o.SetGeneration(3) }, nil},
		"its status": {func(o *unstructured.Unstructured) {
			o.Object["status"] = map[string]any{"fine": true}
			o.SetManagedFields(append(o.GetManagedFields(), metav1.ManagedFieldsEntry{Manager: "istiod", Subresource: "status"}))
		}, nil},
		"its content":   {func(o *unstructured.Unstructured) { o.Object["data"] = map[string]any{"owner": "c2"} }, []string{"changed: " + notes}},
		"a label":       {func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"a": "b"}) }, []string{"changed: " + notes}},
		"an annotation": {func(o *unstructured.Unstructured) { o.SetAnnotations(map[string]string{"a": "b"}) }, []string{"changed: " + notes}},
		"a finalizer":   {func(o *unstructured.Unstructured) { o.SetFinalizers([]string{"a/b"}) }, []string{"changed: " + notes}},
		"an owner":      {func(o *unstructured.Unstructured) { o.SetOwnerReferences([]metav1.OwnerReference{{Name: "x"}}) }, []string{"changed: " + notes}},
		"all of it":     {func(o *unstructured.Unstructured) { o.SetUID("2") }, []string{"made again: " + notes}},
		"by update, as it was": {func(o *unstructured.Unstructured) {
			o.SetManagedFields(append(o.GetManagedFields(), metav1.ManagedFieldsEntry{Manager: "engine", Operation: metav1.ManagedFieldsOperationUpdate}))
		}, []string{notes + " has fields of engine"}},
	} {
		t.Run(name, func(t *testing.T) {
			live := applied.DeepCopy()
			c.by(live)
			assert.Equal(t, c.want, tampered(applied, live))
		})
	}
}
