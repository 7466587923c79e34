package kubefake

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// merge is a server-side apply of o onto live (nil: create).
func merge(live, o *unstructured.Unstructured, manager string, force bool) (*unstructured.Unstructured, error) {
	gvk := o.GroupVersionKind()
	fm, err := managedfields.NewDefaultCRDFieldManager(managedfields.NewDeducedTypeConverter(),
		schemaless{}, schemaless{}, schemaless{}, gvk, gvk.GroupVersion(), "", nil)
	if err != nil {
		return nil, fmt.Errorf("make field manager: %w", err)
	}
	if live == nil {
		live = &unstructured.Unstructured{}
		live.SetGroupVersionKind(gvk)
	}
	out, err := fm.Apply(live.DeepCopy(), o.DeepCopy(), manager, force)
	if err != nil {
		return nil, err
	}
	return out.(*unstructured.Unstructured), nil
}

// schemaless stands for the API server's scheme: one version, no defaults.
type schemaless struct{}

func (schemaless) Convert(_, _, _ any) error { return nil }

func (schemaless) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (schemaless) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (schemaless) Default(runtime.Object) {}

func (schemaless) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(gvk)
	return o, nil
}
