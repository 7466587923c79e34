// Package inventory says which objects a cluster holds of the kinds that a
// federation engine may write, so that what it left behind can be named. It
// reads metadata only, never a Secret's content, and knows no engine.
package inventory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// watched are the kinds looked at: all of Istio's own, and those of Kubernetes
// that take part in routing, naming, rights and book-keeping.
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

// beside are kinds that an engine has less reason to write. A user who may not list
// them does without, and is told so by what asks for the rights.
func beside() []schema.GroupVersionResource {
	rights := schema.GroupVersion{Group: "rbac.authorization.k8s.io", Version: "v1"}
	return []schema.GroupVersionResource{
		{Version: "v1", Resource: "namespaces"}, {Version: "v1", Resource: "serviceaccounts"},
		rights.WithResource("roles"), rights.WithResource("rolebindings"),
		{Group: "networking.istio.io", Version: "v1", Resource: "workloadgroups"},
		{Group: "networking.istio.io", Version: "v1beta1", Resource: "proxyconfigs"},
		{Group: "telemetry.istio.io", Version: "v1", Resource: "telemetries"},
		{Group: "extensions.istio.io", Version: "v1alpha1", Resource: "wasmplugins"},
	}
}

// local are kinds that every namespace has of its own, whoever it belongs to.
func local() []string {
	return []string{"secrets", "configmaps", "serviceaccounts", "roles", "rolebindings"}
}

// Reader takes inventories of one cluster. It is safe for concurrent use.
type Reader struct {
	client metadata.Interface
	// confidential are the namespaces whose Secrets and other local kinds may be
	// listed; none means all.
	confidential []string
}

// New makes a reader of the cluster that config leads to. If namespaces are
// given, Secrets and other local kinds are looked at only there: on clusters that
// are somebody's, the others are nobody else's business.
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
	// spare: whoever may not look there does without.
	spare bool
}

func (l look) String() string {
	if l.namespace == metav1.NamespaceAll {
		return l.kind.GroupResource().String()
	}
	return fmt.Sprintf("%s in %s", l.kind.GroupResource(), l.namespace)
}

func (r *Reader) looks() []look {
	var all []look
	for i, kind := range slices.Concat(watched(), beside()) {
		places := []string{metav1.NamespaceAll}
		if len(r.confidential) > 0 && slices.Contains(local(), kind.Resource) {
			places = r.confidential
		}
		for _, place := range places {
			all = append(all, look{kind: kind, namespace: place, spare: i >= len(watched())})
		}
	}
	return all
}

// list is empty where the cluster knows no such kind, and where nobody may look
// who can do without.
func (r *Reader) list(ctx context.Context, l look) ([]metav1.PartialObjectMetadata, error) {
	list, err := r.client.Resource(l.kind).Namespace(l.namespace).List(ctx, metav1.ListOptions{})
	switch {
	case err == nil:
		return list.Items, nil
	case l.spare && (apierrors.IsForbidden(err) || apierrors.IsNotFound(err)):
		return nil, nil
	}
	return nil, fmt.Errorf("inventory: list %s: %w", l, err)
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
	// Notes is a digest of what no generation counts: labels, annotations, owners
	// and finalizers.
	Notes string
}

// leader is where a control plane that is elected by a ConfigMap says every few
// seconds that it is still there.
const leader = "control-plane.alpha.kubernetes.io/leader"

// ObjectOf is what tells that about one.
func ObjectOf(o metav1.PartialObjectMetadata) Object {
	annotations := maps.Clone(o.Annotations)
	delete(annotations, leader)
	notes := sha256.New()
	// %q and %v sort the keys of maps.
	fmt.Fprintf(notes, "%q %q %q", o.Labels, annotations, o.Finalizers)
	for _, owner := range o.OwnerReferences {
		fmt.Fprintf(notes, " %q", owner.String())
	}
	return Object{UID: o.UID, Generation: o.Generation, Notes: hex.EncodeToString(notes.Sum(nil))}
}

// Take lists what there is now.
func (r *Reader) Take(ctx context.Context) (Inventory, error) {
	looks := r.looks()
	lists := make([][]metav1.PartialObjectMetadata, len(looks))
	all, ctx := errgroup.WithContext(ctx)
	for i, l := range looks {
		all.Go(func() error {
			list, err := r.list(ctx, l)
			lists[i] = list
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	inventory := Inventory{}
	for i, l := range looks {
		for _, o := range lists[i] {
			inventory[fmt.Sprintf("%s %s/%s", l.kind.GroupResource(), o.Namespace, o.Name)] = ObjectOf(o)
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
