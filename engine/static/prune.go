package static

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster/manifest"
)

// markLabel says of an object that this engine has made it.
const markLabel = "app.kubernetes.io/managed-by"

func mark(o *unstructured.Unstructured) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[markLabel] = fieldManager
	o.SetLabels(labels)
}

// prune deletes what the engine has made and does not want any more: callers
// move first, then the gateways' routes and listeners go, and policies last, so
// that nothing is ever open that they had closed.
func (e *Engine) prune(ctx context.Context, client *manifest.Client, wanted []*unstructured.Unstructured) error {
	keep := map[place]bool{}
	for _, o := range wanted {
		keep[placeOf(o)] = true
	}
	made, err := e.made(ctx, client)
	if err != nil {
		return err
	}
	made = slices.DeleteFunc(made, func(o *unstructured.Unstructured) bool { return keep[placeOf(o)] })
	for turn := range turns {
		var now []*unstructured.Unstructured
		for _, o := range made {
			if turnOf(o) == turn {
				now = append(now, o)
			}
		}
		if len(now) == 0 {
			continue
		}
		if err := client.Delete(ctx, now); err != nil {
			return err
		}
	}
	return nil
}

// turns is how many there are.
const turns = 5

// turnOf is when an object goes.
func turnOf(o *unstructured.Unstructured) int {
	switch {
	case o.GetKind() == "VirtualService" && o.GetNamespace() != gateways:
		return 0
	case o.GetKind() == "VirtualService":
		return 1
	case o.GetKind() == "Gateway":
		return 2
	case o.GetKind() == "AuthorizationPolicy":
		return turns - 1
	}
	return 3
}

// made are all objects of the cluster that have the engine's mark, wherever a
// step could have put one.
func (e *Engine) made(ctx context.Context, client *manifest.Client) ([]*unstructured.Unstructured, error) {
	var mu sync.Mutex
	var found []*unstructured.Unstructured
	all, ctx := errgroup.WithContext(ctx)
	for _, shelf := range e.steps.shelves {
		all.Go(func() error {
			some, err := client.List(ctx, shelf.kind, shelf.namespace, markLabel+"="+fieldManager)
			mu.Lock()
			defer mu.Unlock()
			found = append(found, some...)
			return err
		})
	}
	return found, all.Wait()
}
