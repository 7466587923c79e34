package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// settle is how long a refusal must stand to count. The controller may look after
// one of two resources that belong together and before the other, and says then
// what a moment later is no longer so.
const settle = 1500 * time.Millisecond

// await returns when everything wanted is programmed and nothing beside it is in
// force.
func (d desk) await(ctx context.Context, w wanted) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, o := range w.objects {
		all.Go(func() error { return d.awaitProgrammed(ctx, o) })
	}
	for _, kind := range []api.Kind{api.KindExposure, api.KindConsumption} {
		all.Go(func() error { return d.awaitInForce(ctx, kind, w.count(kind)) })
	}
	return all.Wait()
}

// awaitProgrammed watches one resource. The error says what the controller said
// last.
func (d desk) awaitProgrammed(ctx context.Context, o *unstructured.Unstructured) error {
	last := "the controller has said nothing yet"
	refused := false
	// The clock starts anew whenever the controller says something else.
	deadline, expire := context.WithCancelCause(ctx)
	defer expire(nil)
	timer := time.AfterFunc(patience, func() { expire(context.DeadlineExceeded) })
	defer timer.Stop()
	err := d.watch(deadline, api.Kind(o.GetKind()), o.GetNamespace(), o.GetName(), func(live *unstructured.Unstructured) bool {
		now, done, no := verdictOf(live)
		if now != last {
			last, refused = now, no
			timer.Reset(map[bool]time.Duration{true: settle, false: patience}[no])
		}
		return done
	})
	if err == nil {
		return nil
	}
	if refused && ctx.Err() == nil {
		return fmt.Errorf("%s is refused: %s", name(o), last)
	}
	return fmt.Errorf("%s is not programmed: %s: %w", name(o), last, err)
}

// verdictOf reads the conditions of the generation that stands there: in words,
// whether it is programmed, and whether it is refused.
func verdictOf(o *unstructured.Unstructured) (words string, programmed, refused bool) {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	words = "the controller has said nothing yet"
	for _, item := range list {
		c, _ := item.(map[string]any)
		if seen, _, _ := unstructured.NestedInt64(c, "observedGeneration"); seen != o.GetGeneration() {
			continue
		}
		switch c["type"] {
		case string(crd.Accepted):
			if c["reason"] == string(crd.ReasonPartiallyAccepted) {
				return fmt.Sprintf("%v: %v", c["reason"], c["message"]), false, true
			}
		case string(crd.Programmed):
			words = fmt.Sprintf("%v: %v", c["reason"], c["message"])
			programmed = c["status"] == string(metav1.ConditionTrue)
			refused = !programmed
		}
	}
	return words, programmed, refused
}

// awaitInForce returns when no more than so many of a kind are in force, or there
// is no Mesh that could say so: without one nothing is.
func (d desk) awaitInForce(ctx context.Context, kind api.Kind, atMost int) error {
	meshes, err := d.list(ctx, api.KindMesh)
	if err != nil || len(meshes) == 0 {
		return err
	}
	field := strings.ToLower(string(kind)) + "s"
	last := int64(-1)
	err = d.watch(ctx, api.KindMesh, "", meshes[0].GetName(), func(live *unstructured.Unstructured) bool {
		n, known, _ := unstructured.NestedInt64(live.Object, "status", field)
		last = n
		return known && n <= int64(atMost)
	})
	if err != nil {
		return fmt.Errorf("%d %s are in force, want at most %d: %w", last, field, atMost, err)
	}
	return nil
}

// watch calls done with each state of a resource until it says yes.
func (d desk) watch(ctx context.Context, kind api.Kind, namespace, name string, done func(*unstructured.Unstructured) bool) error {
	resource := d.resource(kind, namespace)
	byName := "metadata.name=" + name
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = byName
			return resource.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = byName
			return resource.Watch(ctx, o)
		},
	}, d.dynamic)
	_, err := watchtools.UntilWithSync(ctx, lw, &unstructured.Unstructured{}, nil, func(e watch.Event) (bool, error) {
		live, ok := e.Object.(*unstructured.Unstructured)
		return ok && e.Type != watch.Deleted && live.GetName() == name && done(live), nil
	})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
