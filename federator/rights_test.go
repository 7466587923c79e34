package federator

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/internal/access"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// use is one right in use: "patch virtualservices.networking.istio.io at gateways".
type use string

// notary writes down which rights the engine uses.
type notary struct {
	kube.Client
	mu   *sync.Mutex // the engine reads in parallel
	used map[use]bool
}

func (n notary) note(gvk schema.GroupVersionKind, namespace, name string, verbs ...string) {
	place := map[string]access.Place{"": access.Everywhere, gateways: access.Gateways, "istio-system": access.ControlPlane}[namespace]
	if place == "" {
		place = access.Services
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, verb := range verbs {
		n.used[useOf(verb, schema.GroupResource{Group: gvk.Group, Resource: access.Resource(gvk)}, name, place)] = true
	}
}

func useOf(verb string, r schema.GroupResource, name string, at access.Place) use {
	if r.Resource == "configmaps" && verb != "create" {
		return use(fmt.Sprintf("%s %s/%s at %s", verb, r, name, at))
	}
	return use(fmt.Sprintf("%s %s at %s", verb, r, at))
}

func (n notary) Get(ctx context.Context, ref kube.Ref) (*unstructured.Unstructured, error) {
	n.note(ref.GVK(), ref.Namespace, ref.Name, "get")
	return n.Client.Get(ctx, ref)
}

func (n notary) List(ctx context.Context, version, kind, namespace string) ([]unstructured.Unstructured, error) {
	n.note(schema.FromAPIVersionAndKind(version, kind), namespace, "", "list")
	return n.Client.List(ctx, version, kind, namespace)
}

// Apply needs both rights: the API server asks for create when there is nothing
// to patch.
func (n notary) Apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	n.note(o.GroupVersionKind(), o.GetNamespace(), o.GetName(), "create", "patch")
	return n.Client.Apply(ctx, o, dryRun)
}

func (n notary) Delete(ctx context.Context, ref kube.Ref, uid types.UID) (bool, error) {
	n.note(ref.GVK(), ref.Namespace, ref.Name, "delete")
	return n.Client.Delete(ctx, ref, uid)
}

func (n notary) Put(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	verb := "update"
	if o.GetResourceVersion() == "" {
		verb = "create"
	}
	n.note(o.GroupVersionKind(), o.GetNamespace(), o.GetName(), verb)
	return n.Client.Put(ctx, o)
}

// The rights are least: each is used, and each use is granted, over the whole
// life of both sides' wishes.
func TestEveryRightIsUsedAndEveryUseIsGranted(t *testing.T) {
	used := map[use]bool{}
	for _, name := range []string{"c1", "c2"} {
		c, _, spec := setup(t, name)
		e, err := newEngine(notary{c, &sync.Mutex{}, used}, WithoutSecrets())
		require.NoError(t, err)
		for _, wish := range []Spec{spec, spec, {}} {
			_, err = e.Converge(t.Context(), gateways, wish)
			require.NoError(t, err)
		}
	}
	granted := map[use]bool{}
	for _, place := range access.Places() {
		for _, rule := range access.Rules(place, "istio") {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					name := ""
					if len(rule.ResourceNames) > 0 {
						name = rule.ResourceNames[0]
					}
					r := schema.GroupResource{Group: rule.APIGroups[0], Resource: resource}
					if !forController(r.Group, r.Resource, verb) {
						granted[useOf(verb, r, name, place)] = true
					}
				}
			}
		}
	}
	assert.Equal(t, granted, used)
	assert.True(t, used[useOf("get", schema.GroupResource{Resource: "configmaps"}, inventory.Name, access.Gateways)])
}

// forController are rights that the loop around the engine uses, and not the
// engine: watches and what it lists for them, status, events, its own lease.
func forController(group, resource, verb string) bool {
	own := []string{"federation.meshfed.io", "events.k8s.io", "coordination.k8s.io", "discovery.k8s.io"}
	return verb == "watch" || slices.Contains(own, group) || (resource == "configmaps" || resource == "serviceentries") && verb == "list"
}
