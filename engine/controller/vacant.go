package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/meshfed/meshfed/federator/deploy"
)

// errTaken: a controller was there before, and neither is replaced nor taken away.
var errTaken = errors.New("somebody's")

// vacant refuses a cluster in which somebody else runs a controller of this name. It
// would be replaced, and taken away after the run with all that is declared there.
func vacant(ctx context.Context, client dynamic.Interface) error {
	there, err := client.Resource(appsv1.SchemeGroupVersion.WithResource("deployments")).Namespace(namespace).Get(ctx, deploy.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("is deployment %s/%s there: %w", namespace, deploy.Name, err)
	}
	ours := func(e metav1.ManagedFieldsEntry) bool { return e.Manager == fieldManager }
	if !slices.ContainsFunc(there.GetManagedFields(), ours) {
		return fmt.Errorf("deployment %s/%s is %w: a run would replace it, and take it away afterwards with what is declared there; use another cluster, or another engine", namespace, deploy.Name, errTaken)
	}
	return nil
}
