package manifest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// Delete removes the objects in the reverse of Apply's order and returns when
// they are gone, which for a namespace includes all that was in it. One that
// does not exist, or whose kind does not, is gone already. If ctx has no
// deadline it waits two minutes at most.
func (c *Client) Delete(ctx context.Context, objects []*unstructured.Unstructured) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
	}
	groups := stages(objects)
	slices.Reverse(groups)
	for _, group := range groups {
		failures := make([]error, len(group))
		var all errgroup.Group
		all.SetLimit(parallel)
		for i, object := range group {
			all.Go(func() error {
				failures[i] = c.deleteOne(ctx, object)
				return nil
			})
		}
		_ = all.Wait()
		// Go on deleting what can be deleted of a stage, but not below it:
		// an object would lose the definition or namespace it hangs on.
		if err := errors.Join(failures...); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) deleteOne(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := c.resource(object)
	if meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", name(object), err)
	}
	background := metav1.DeletePropagationBackground
	if err := resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		return unlessNotFound(object, err)
	}
	live, err := resource.Get(ctx, object.GetName(), metav1.GetOptions{})
	if err != nil {
		return unlessNotFound(object, err)
	}
	if live.GetDeletionTimestamp() == nil {
		// A controller has already made another of that name.
		return nil
	}
	return waitGone(ctx, resource, object, live.GetUID())
}

func unlessNotFound(object *unstructured.Unstructured, err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("delete %s: %w", name(object), err)
}

// waitGone watches until that very object is no more. Another of the same
// name, which a controller may have made since, is not it.
func waitGone(ctx context.Context, resource dynamic.ResourceInterface, object *unstructured.Unstructured, uid types.UID) error {
	byName := "metadata.name=" + object.GetName()
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = byName
			return resource.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = byName
			return resource.Watch(ctx, o)
		},
	}, resource)
	last := "still there"
	alreadyGone := func(store cache.Store) (bool, error) {
		for _, item := range store.List() {
			if live, ok := item.(*unstructured.Unstructured); ok && live.GetUID() == uid {
				return false, nil
			}
		}
		return true, nil
	}
	_, err := watchtools.UntilWithSync(ctx, lw, &unstructured.Unstructured{}, alreadyGone, func(e watch.Event) (bool, error) {
		live, ok := e.Object.(*unstructured.Unstructured)
		if !ok || live.GetUID() != uid {
			return ok, nil
		}
		if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
			last = fmt.Sprintf("still there, held by finalizers %q", finalizers)
		}
		return e.Type == watch.Deleted, nil
	})
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("delete %s: %s: %w", name(object), last, err)
}
