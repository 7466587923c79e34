package bench

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshfed/meshfed/cluster/istio"
)

// ownersLabel is on everything that the features' owners apply. A run that was
// killed leaves it, and no engine knows of it: by the label the next run finds it,
// which would take it for a part of the mesh otherwise.
const ownersLabel = "meshfed.io/owners"

func own(object *unstructured.Unstructured) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[ownersLabel] = "true"
	object.SetLabels(labels)
}

// lister lists live objects; see manifest.Client.
type lister interface {
	List(ctx context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]*unstructured.Unstructured, error)
}

// place is where an owner has objects of a kind.
type place struct {
	kind      schema.GroupVersionKind
	namespace string
}

// ownersPlaces are all of them; ownerRights has the same.
func ownersPlaces() []place {
	networking := schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}
	filters := schema.GroupVersion{Group: "networking.istio.io", Version: "v1alpha3"}
	security := schema.GroupVersion{Group: "security.istio.io", Version: "v1"}
	all := []place{
		{corev1.SchemeGroupVersion.WithKind("ConfigMap"), istio.GatewayNamespace},
		{corev1.SchemeGroupVersion.WithKind("Secret"), istio.GatewayNamespace},
		{networking.WithKind("Gateway"), istio.GatewayNamespace},
		{filters.WithKind("EnvoyFilter"), istio.GatewayNamespace},
	}
	for _, namespace := range fixtureNamespaces() {
		all = append(all,
			place{appsv1.SchemeGroupVersion.WithKind("Deployment"), namespace},
			place{networking.WithKind("VirtualService"), namespace},
			place{networking.WithKind("DestinationRule"), namespace},
			place{security.WithKind("AuthorizationPolicy"), namespace})
	}
	return all
}

// owned are the objects that owners have applied and nobody has taken back.
func owned(ctx context.Context, live lister) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, p := range ownersPlaces() {
		found, err := live.List(ctx, p.kind, p.namespace, ownersLabel)
		if err != nil {
			return nil, fmt.Errorf("what the features' owners have left: %w", err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// disown takes away what owners have left in the mesh.
func (m *mesh) disown(ctx context.Context) error {
	left, err := owned(ctx, m.applier)
	if err != nil {
		return err
	}
	return takeAway(ctx, m, left)
}
