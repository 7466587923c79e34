package workload

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// Patience is how long a wait lasts if its context has no deadline.
const Patience = 2 * time.Minute

// WaitDeployments returns when all of them have rolled out. They need not
// exist yet. When the context ends, the error says for each that has not what
// its pods were doing. An image that no waiting brings ends the wait at once,
// with an error that wraps ErrNoImage.
func (c *Client) WaitDeployments(ctx context.Context, names ...types.NamespacedName) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	failures := make([]error, len(names))
	var all errgroup.Group
	for i, name := range names {
		all.Go(func() error {
			failures[i] = c.waitDeployment(ctx, name)
			return nil
		})
	}
	_ = all.Wait()
	return errors.Join(failures...)
}

func (c *Client) waitDeployment(ctx context.Context, name types.NamespacedName) error {
	deployments := c.kube.AppsV1().Deployments(name.Namespace)
	byName := "metadata.name=" + name.Name
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = byName
			return deployments.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = byName
			return deployments.Watch(ctx, o)
		},
	}, c.kube)
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var looking sync.Once
	var last *appsv1.Deployment
	_, err := watchtools.UntilWithSync(ctx, lw, &appsv1.Deployment{}, nil, func(e watch.Event) (bool, error) {
		d, ok := e.Object.(*appsv1.Deployment)
		if !ok || d.Name != name.Name {
			return false, nil
		}
		if e.Type == watch.Deleted {
			last = nil
			return false, nil
		}
		last = d
		if local(&d.Spec.Template.Spec) && !RolledOut(d) {
			looking.Do(func() { go c.watchPulls(ctx, d, giveUp) })
		}
		return RolledOut(d), nil
	})
	if err == nil {
		return nil
	}
	return fmt.Errorf("deployment %s has not rolled out: %s: %w", name, c.deploymentState(ctx, last), because(ctx, err))
}

func (c *Client) deploymentState(ctx context.Context, d *appsv1.Deployment) string {
	if d == nil {
		return "it does not exist"
	}
	ref := Ref{Namespace: d.Namespace, Selector: metav1.FormatLabelSelector(d.Spec.Selector)}
	state := fmt.Sprintf("%d of %d replicas available", d.Status.AvailableReplicas, d.Status.Replicas)
	for _, condition := range d.Status.Conditions {
		if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
			state += ", " + reason(condition.Reason, condition.Message)
		}
	}
	return state + "; " + c.podState(ctx, ref)
}

// podState is asked for when the wait is over, so it gets a little time more.
func (c *Client) podState(ctx context.Context, ref Ref) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	pods, err := c.Pods(ctx, ref)
	if err != nil {
		return "its pods cannot be listed: " + err.Error()
	}
	return describeAll(pods)
}

func (c *Client) podWatcher(ref Ref, options metav1.ListOptions) cache.ListerWatcher {
	pods := c.kube.CoreV1().Pods(ref.Namespace)
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.LabelSelector, o.FieldSelector = options.LabelSelector, options.FieldSelector
			return pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector, o.FieldSelector = options.LabelSelector, options.FieldSelector
			return pods.Watch(ctx, o)
		},
	}, c.kube)
}

// WaitGone returns when the workload has no pods any more, those that are being
// deleted included: until then they may still answer.
func (c *Client) WaitGone(ctx context.Context, ref Ref) error {
	options, err := listOptions(ref)
	if err != nil {
		return err
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	listed, left := false, map[types.UID]string{}
	none := func(store cache.Store) (bool, error) {
		listed = true
		for _, o := range store.List() {
			if pod, ok := o.(*corev1.Pod); ok {
				left[pod.UID] = pod.Name
			}
		}
		return len(left) == 0, nil
	}
	_, err = watchtools.UntilWithSync(ctx, c.podWatcher(ref, options), &corev1.Pod{}, none, func(e watch.Event) (bool, error) {
		pod, ok := e.Object.(*corev1.Pod)
		if !ok {
			return false, nil
		}
		if left[pod.UID] = pod.Name; e.Type == watch.Deleted {
			delete(left, pod.UID)
		}
		return len(left) == 0, nil
	})
	if err == nil {
		return nil
	}
	if !listed {
		return fmt.Errorf("%s: whether it is gone is unknown, no list of its pods came: %w", ref, because(ctx, err))
	}
	return fmt.Errorf("%s is not gone: %d pods are left (%v): %w", ref, len(left), slices.Sorted(maps.Values(left)), because(ctx, err))
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, Patience)
}

// because prefers the context's own word: the watch only says "timed out",
// also when somebody pressed Ctrl-C.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
