package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metadataclient "k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

const (
	// askLimit bounds the questions for rights; who gets no answer by then watches.
	askLimit = 10 * time.Second
	// syncedLimit is shorter than the kubelet's patience with a probe (a second).
	syncedLimit = 500 * time.Millisecond
)

// asked are the options without what the cluster of cfg does not let be watched.
func (o Options) asked(ctx context.Context, cfg *rest.Config) (Options, error) {
	own := rest.CopyConfig(cfg)
	own.QPS, own.Burst = -1, 0 // as many questions as there are namespaces
	c, err := metadataclient.NewForConfig(own)
	if err != nil {
		return o, fmt.Errorf("controller: %w", err)
	}
	return o.watchable(ctx, c), nil
}

// watchable takes the namespaces out of the watches in which a right is missing. An
// informer that may not list never syncs, and a controller whose informers do not
// sync ends: one Role that is not there would hold up what everybody withdraws. The
// declarations there still count, and preflight tells them what is missing.
func (o Options) watchable(ctx context.Context, c metadataclient.Interface) Options {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	for _, n := range o.Namespaces {
		if n == o.GatewayNamespace {
			continue // nothing works without that one
		}
		if err := mayList(ctx, c, n); apierrors.IsForbidden(err) {
			o.unwatched = append(o.unwatched, n)
			o.Log.Error(err, "this namespace is not watched, and what is declared in it stays as it stands: "+
				"give the controller its Role there (federator manifest --watch-namespace) and restart it, or take the namespace out of --watch-namespace", "namespace", n)
		}
	}
	if len(o.unwatched) > 0 {
		o.Resync = min(o.Resync, retryLimit) // no watch shows that the right is there, nor what changes then
	}
	return o
}

// mayList asks for what watchedKinds watches in the namespaces of declarations.
func mayList(ctx context.Context, c metadataclient.Interface, namespace string) error {
	for _, r := range []schema.GroupVersionResource{
		corev1.SchemeGroupVersion.WithResource("services"),
		{Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	} {
		if _, err := c.Resource(r).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return err
		}
	}
	return nil
}

// synced is ready when all that is watched has been seen once. An instance that
// stands by watches nothing yet.
func synced(c cache.Cache) healthz.Checker {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), syncedLimit)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("the cache has not synced: the log says which list fails")
		}
		return nil
	}
}
