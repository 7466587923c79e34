package deploy

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshfed/meshfed/federator/crd"
)

// Name of everything the controller is made of.
const Name = "federator"

// Objects are all that the controller needs, in the order in which they can be
// applied. The caller owns them.
func Objects(o Options) ([]*unstructured.Unstructured, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	definitions, err := crd.Definitions()
	if err != nil {
		return nil, err
	}
	var typed []runtime.Object
	for _, d := range definitions {
		typed = append(typed, d)
	}
	typed = append(typed, &corev1.Namespace{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: o.Namespace, Labels: labels()},
	})
	typed = append(typed, rights(o)...)
	typed = append(typed, deployment(o))
	out := make([]*unstructured.Unstructured, 0, len(typed))
	for _, t := range typed {
		u, err := untyped(t)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

func labels() map[string]string { return map[string]string{"app.kubernetes.io/name": Name} }

// untyped drops what the API server writes itself.
func untyped(o runtime.Object) (*unstructured.Unstructured, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("deploy: encode %T: %w", o, err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(raw); err != nil {
		return nil, fmt.Errorf("deploy: encode %T: %w", o, err)
	}
	for _, path := range [][]string{{"status"}, {"metadata", "creationTimestamp"}, {"spec", "template", "metadata", "creationTimestamp"}, {"spec", "strategy"}} {
		unstructured.RemoveNestedField(u.Object, path...)
	}
	return u, nil
}
