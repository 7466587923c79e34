package kube

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// ErrNotServed says that a cluster does not know a kind.
var ErrNotServed = errors.New("the cluster does not serve it")

// FieldManager is the name under which the engine owns fields.
const FieldManager = "federator"

// Client is what the engine needs of a cluster. Implementations are safe for
// concurrent use. An object that does not exist is not an error: Get returns nil.
type Client interface {
	// Get reads an object, nil when there is none.
	Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error)
	// List reads every object of a kind; an empty namespace means all of them.
	List(ctx context.Context, apiVersion, kind, namespace string) ([]unstructured.Unstructured, error)
	// Apply is a server-side apply under FieldManager, never forced; another
	// owner's field gives a *ConflictError. A dry run goes through admission and
	// returns the outcome without keeping it.
	Apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error)
	// Delete removes the object if it still has this UID. It returns false when the
	// object is gone already. One that has been replaced by another gives a
	// *ConflictError: what has its name may do what it did, and is not gone.
	Delete(ctx context.Context, ref Ref, uid types.UID) (bool, error)
	// Put creates the object, or replaces the version its resourceVersion names. A
	// version changed meanwhile gives a *ConflictError.
	Put(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error)
}
