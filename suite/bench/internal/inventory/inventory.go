// Package inventory says which objects a cluster holds of the kinds that a
// federation engine may write, so that what it left behind can be named. It
// reads metadata only, never a Secret's content, and knows no engine.
package inventory

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// watched are the kinds looked at: all of Istio's own, and those of Kubernetes
// that take part in routing, naming and book-keeping.
func watched() []schema.GroupVersionResource {
	core := schema.GroupVersion{Version: "v1"}
	networking := schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}
	filters := schema.GroupVersion{Group: "networking.istio.io", Version: "v1alpha3"}
	security := schema.GroupVersion{Group: "security.istio.io", Version: "v1"}
	policies := schema.GroupVersion{Group: "networking.k8s.io", Version: "v1"}
	return []schema.GroupVersionResource{
		core.WithResource("services"), core.WithResource("configmaps"), core.WithResource("secrets"),
		networking.WithResource("gateways"), networking.WithResource("virtualservices"),
		networking.WithResource("destinationrules"), networking.WithResource("serviceentries"),
		networking.WithResource("workloadentries"), networking.WithResource("sidecars"),
		filters.WithResource("envoyfilters"), policies.WithResource("networkpolicies"),
		security.WithResource("authorizationpolicies"), security.WithResource("peerauthentications"),
		security.WithResource("requestauthentications"),
	}
}

// Reader takes inventories of one cluster. It is safe for concurrent use.
type Reader struct {
	client metadata.Interface
	// confidential are the namespaces whose Secrets and ConfigMaps may be
	// listed; none means all.
	confidential []string
}

// New makes a reader of the cluster that config leads to. If namespaces are
// given, Secrets and ConfigMaps are looked at only there: on clusters that are
// somebody's, the others are nobody else's business.
func New(config *rest.Config, confidential ...string) (*Reader, error) {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	return &Reader{client: client, confidential: confidential}, nil
}

// look is one list to take; no namespace is all of them.
type look struct {
	kind      schema.GroupVersionResource
	namespace string
}

func (r *Reader) looks() []look {
	var all []look
	for _, kind := range watched() {
		places := []string{metav1.NamespaceAll}
		if len(r.confidential) > 0 && (kind.Resource == "secrets" || kind.Resource == "configmaps") {
			places = r.confidential
		}
		for _, place := range places {
			all = append(all, look{kind, place})
		}
	}
	return all
}

// Inventory is a set of objects by name: "gateways.networking.istio.io ns/x".
type Inventory map[string]Object

// Object is what tells whether an object is as it was.
type Object struct {
	// UID is another one if the object was deleted and made again; whoever used it
	// was without it in between.
	UID types.UID
	// Generation is 0 for kinds that have none.
	Generation int64
}

// Take lists what there is now.
func (r *Reader) Take(ctx context.Context) (Inventory, error) {
	looks := r.looks()
	lists := make([][]metav1.PartialObjectMetadata, len(looks))
	all, ctx := errgroup.WithContext(ctx)
	for i, l := range looks {
		all.Go(func() error {
			list, err := r.client.Resource(l.kind).Namespace(l.namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return fmt.Errorf("inventory: list %s: %w", l.kind.GroupResource(), err)
			}
			lists[i] = list.Items
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	inventory := Inventory{}
	for i, l := range looks {
		for _, o := range lists[i] {
			inventory[fmt.Sprintf("%s %s/%s", l.kind.GroupResource(), o.Namespace, o.Name)] = Object{UID: o.UID, Generation: o.Generation}
		}
	}
	return inventory, nil
}

// Since says in words what differs from an earlier inventory: objects that are
// new, changed, made again or gone, sorted; nil if nothing does.
func (now Inventory) Since(before Inventory) []string {
	var differences []string
	for name, object := range now {
		earlier, was := before[name]
		switch {
		case !was:
			differences = append(differences, "left: "+name)
		case earlier.UID != object.UID:
			differences = append(differences, "made again: "+name)
		case earlier != object:
			differences = append(differences, "changed: "+name)
		}
	}
	for name := range before {
		if _, is := now[name]; !is {
			differences = append(differences, "gone: "+name)
		}
	}
	slices.Sort(differences)
	return differences
}
