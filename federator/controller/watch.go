package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/meshfed/meshfed/federator/crd"
)

// The pace of retries after an error of the cluster: quick at first, and never so
// slow that a cluster that is back waits for us.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 10 * time.Second
	// patience bounds one reconcile; the API server's own time-outs are shorter.
	patience = 2 * time.Minute
)

// everything is the only request there is: every event asks for the same look at
// the whole, so however many come at once, one reconcile answers them.
func everything(context.Context, client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: Name}}}
}

// watch wakes the reconciler by whatever its decisions rest on: the declarations,
// the objects that it keeps, and those of others that preflight judges.
func watch(m manager.Manager, o Options, r reconcile.Reconciler) error {
	wake := handler.EnqueueRequestsFromMapFunc(everything)
	// The status that we write changes neither.
	edited := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	changed := builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})
	b := builder.ControllerManagedBy(m).Named(Name).WithOptions(controller.Options{
		SkipNameValidation:    ptr.To(true),
		ReconciliationTimeout: patience,
		RateLimiter:           workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
	})
	for _, o := range []client.Object{&crd.Mesh{}, &crd.Peer{}, &crd.Exposure{}, &crd.Consumption{}} {
		b = b.Watches(o, wake, edited)
	}
	for kind := range watchedKinds(o) {
		b = b.WatchesMetadata(metadata(kind), wake, changed)
	}
	return b.Watches(&discovery.EndpointSlice{}, wake, changed).Complete(r)
}

// metadata stands for objects of a kind of which only the name and the version
// are kept: the engine reads the rest itself, when it decides.
func metadata(gvk schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(gvk)
	return o
}

// scope is where objects of a kind are watched; the zero value is everywhere.
type scope struct {
	namespaces []string
	name       string
}

// watchedKinds follows the rights that the controller has (package access).
func watchedKinds(o Options) map[schema.GroupVersionKind]scope {
	networking := schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}
	security := schema.GroupVersion{Group: "security.istio.io", Version: "v1"}
	var services []string
	if len(o.Namespaces) > 0 {
		services = append([]string{o.GatewayNamespace}, o.Namespaces...)
		services = slices.DeleteFunc(services, func(n string) bool { return slices.Contains(o.unwatched, n) })
	}
	return map[schema.GroupVersionKind]scope{
		networking.WithKind("VirtualService"):           {},
		networking.WithKind("Gateway"):                  {},
		networking.WithKind("ServiceEntry"):             {namespaces: []string{o.GatewayNamespace}},
		networking.WithKind("DestinationRule"):          {namespaces: services},
		security.WithKind("AuthorizationPolicy"):        {namespaces: []string{o.GatewayNamespace, o.RootNamespace}},
		corev1.SchemeGroupVersion.WithKind("Service"):   {namespaces: services},
		corev1.SchemeGroupVersion.WithKind("ConfigMap"): {namespaces: []string{o.RootNamespace}, name: o.MeshConfig},
	}
}

func cacheOptions(o Options) cache.Options {
	out := cache.Options{ByObject: map[client.Object]cache.ByObject{
		&discovery.EndpointSlice{}: {Namespaces: in(o.GatewayNamespace)},
	}}
	for kind, s := range watchedKinds(o) {
		by := cache.ByObject{Transform: cache.TransformStripManagedFields()}
		if len(s.namespaces) > 0 {
			by.Namespaces = in(s.namespaces...)
		}
		if s.name != "" {
			by.Field = fields.OneTermEqualSelector("metadata.name", s.name)
		}
		out.ByObject[metadata(kind)] = by
	}
	return out
}

func in(namespaces ...string) map[string]cache.Config {
	out := map[string]cache.Config{}
	for _, n := range namespaces {
		out[n] = cache.Config{}
	}
	return out
}
