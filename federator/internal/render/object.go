package render

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
)

// istioNetworking and istioSecurity are the API versions rendered.
const (
	istioNetworking = "networking.istio.io/v1"
	istioSecurity   = "security.istio.io/v1"
)

// local limits an object's visibility to its own namespace (exportTo).
func local() []string { return []string{"."} }

// meta is the head of a rendered object.
func (r *renderer) meta(role Role, name Name, by api.Key) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      name.Name,
		Namespace: name.Namespace,
		Labels: map[string]string{
			LabelManagedBy: Manager,
			LabelMesh:      r.spec.Mesh.Name,
			LabelRole:      string(role),
		},
		Annotations: map[string]string{AnnotationDeclaredBy: by.String()},
	}
}

// listenerMeta also says where the inventory is: whoever moves one of two gateways
// moves the inventory too, and must not lose sight of the other.
func (r *renderer) listenerMeta(name Name) metav1.ObjectMeta {
	out := r.meta(RoleListener, name, r.spec.Mesh.Key())
	if home := r.spec.Mesh.Spec.Home(); home != name.Namespace {
		out.Annotations[AnnotationInventory] = home
	}
	return out
}

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

// explicit is a field of a spec that is Istio's default anyway, and that the typed
// object therefore leaves out. The engine sets it all the same: it owns what it has
// set, and a field that nobody owns is anybody's to set, without a conflict.
type explicit struct {
	value any
	path  []string
}

// add takes a typed object into the output. What the API server writes itself
// (status, creationTimestamp) is dropped, so that the engine never owns it.
func (r *renderer) add(typed any, defaults ...explicit) {
	if r.err != nil {
		return
	}
	raw, err := json.Marshal(typed)
	if err != nil {
		r.err = fmt.Errorf("render %T: %w", typed, err)
		return
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(raw); err != nil {
		r.err = fmt.Errorf("render %T: %w", typed, err)
		return
	}
	for _, d := range defaults {
		if err := unstructured.SetNestedField(o.Object, d.value, append([]string{"spec"}, d.path...)...); err != nil {
			r.err = fmt.Errorf("render %T: %w", typed, err)
			return
		}
	}
	unstructured.RemoveNestedField(o.Object, "status")
	unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
	r.out = append(r.out, o)
}
