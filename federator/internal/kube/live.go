package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// pageSize bounds one answer of a list, so that ten thousand VirtualServices do
// not arrive as one body.
const pageSize = 500

type live struct{ dynamic dynamic.Interface }

// Dial makes a client. The config's own rate limit is lifted (client-go's
// default of five requests a second would make an apply take seconds): the API
// server's priority and fairness is the limit that counts.
func Dial(cfg *rest.Config) (Client, error) {
	own := rest.CopyConfig(cfg)
	own.QPS, own.Burst = -1, 0
	own.UserAgent = FieldManager
	d, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("connect to cluster: %w", err)
	}
	return live{d}, nil
}

// resource maps a kind to its plural, which saves a discovery round trip. The
// guess is English grammar and knows no "gateways".
func (l live) resource(gvk schema.GroupVersionKind, namespace string) dynamic.ResourceInterface {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	if gvk.Kind == "Gateway" {
		plural.Resource = "gateways"
	}
	return l.dynamic.Resource(plural).Namespace(namespace)
}

func (l live) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	o, err := l.resource(ref.GVK(), ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	return o, nil
}

func (l live) List(ctx context.Context, apiVersion, kind, namespace string) ([]unstructured.Unstructured, error) {
	r := l.resource(schema.FromAPIVersionAndKind(apiVersion, kind), namespace)
	var out []unstructured.Unstructured
	opts := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := r.List(ctx, opts)
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("list %s: %w; install Istio's CRDs (%s)", kind, ErrNotServed, apiVersion)
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", kind, err)
		}
		out = append(out, page.Items...)
		if opts.Continue = page.GetContinue(); opts.Continue == "" {
			return out, nil
		}
	}
}

func (l live) Apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	ref := RefOf(o)
	opts := metav1.ApplyOptions{FieldManager: FieldManager}
	if dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	out, err := l.resource(ref.GVK(), ref.Namespace).Apply(ctx, ref.Name, o, opts)
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", ref, AsConflict(ref, err))
	}
	return out, nil
}

func (l live) Delete(ctx context.Context, ref Ref, uid types.UID) (bool, error) {
	opts := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
	err := l.resource(ref.GVK(), ref.Namespace).Delete(ctx, ref.Name, opts)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("delete %s: %w", ref, AsConflict(ref, err))
	}
	return true, nil
}

func (l live) Put(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ref := RefOf(o)
	r := l.resource(ref.GVK(), ref.Namespace)
	if o.GetResourceVersion() == "" {
		out, err := r.Create(ctx, o, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil, &ConflictError{Object: ref, Reason: "it was created while this ran; run again"}
		}
		if err != nil {
			return nil, fmt.Errorf("create %s: %w", ref, err)
		}
		return out, nil
	}
	out, err := r.Update(ctx, o, metav1.UpdateOptions{FieldManager: FieldManager})
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", ref, AsConflict(ref, err))
	}
	return out, nil
}
