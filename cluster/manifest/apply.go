package manifest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// parallel is how many objects of a stage are in flight at once.
	parallel = 16
	// patience bounds how long one object may wait for its kind, or for its
	// webhook, to be served.
	patience = 30 * time.Second
)

// ApplyOptions says as whom to apply.
type ApplyOptions struct {
	// FieldManager is required: it is who owns the applied fields.
	FieldManager string
	// Force takes over fields of another manager. If it is false, they are
	// an error that names the manager.
	Force bool
}

// Apply applies the objects server-side: namespaces and definitions first,
// then what pods need, then the rest, then webhooks; those of one stage in
// parallel. The objects are not changed. It waits, at most half a minute an
// object, for a kind whose definition was applied a moment ago.
func (c *Client) Apply(ctx context.Context, objects []*unstructured.Unstructured, o ApplyOptions) error {
	if o.FieldManager == "" {
		return fmt.Errorf("apply %d objects: the field manager is empty", len(objects))
	}
	for _, group := range stages(objects) {
		all, ctx := errgroup.WithContext(ctx)
		all.SetLimit(parallel)
		for _, object := range group {
			all.Go(func() error { return c.applyOne(ctx, object, o) })
		}
		if err := all.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// applyOne tries again only what time can heal. There is nothing to watch for
// these: that a kind is served is known to discovery alone, and a webhook's
// server to nobody.
func (c *Client) applyOne(ctx context.Context, object *unstructured.Unstructured, o ApplyOptions) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Not wait.ExponentialBackoff, which gives up when its pause reaches the cap.
	pauses := wait.Backoff{Duration: 20 * time.Millisecond, Factor: 1.5, Jitter: 0.1, Steps: 1 << 20, Cap: 500 * time.Millisecond}.DelayFunc()
	var last error
	err := pauses.Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		if last = c.patch(ctx, object, o); last == nil {
			return true, nil
		}
		if !passing(last) {
			return false, last
		}
		if unknownKind(last) {
			c.mapper.Reset()
		}
		return false, nil
	})
	switch {
	case err == nil:
		return nil
	case last != nil:
		return fmt.Errorf("apply %s: %w", name(object), last)
	default:
		return fmt.Errorf("apply %s: %w", name(object), err)
	}
}

func (c *Client) patch(ctx context.Context, object *unstructured.Unstructured, o ApplyOptions) error {
	resource, err := c.resource(object)
	if err != nil {
		return err
	}
	_, err = resource.Apply(ctx, object.GetName(), object.DeepCopy(), metav1.ApplyOptions{FieldManager: o.FieldManager, Force: o.Force})
	return err
}

// passing says whether the same request may succeed a moment later.
func passing(err error) bool {
	return unknownKind(err) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) ||
		apierrors.IsTooManyRequests(err) ||
		(apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook"))
}

// unknownKind tells "no such kind" from "no such object", such as a missing
// namespace, which no waiting heals. Both are 404; only the words differ.
func unknownKind(err error) bool {
	return meta.IsNoMatchError(err) ||
		(apierrors.IsNotFound(err) && strings.Contains(err.Error(), "the server could not find the requested resource"))
}
