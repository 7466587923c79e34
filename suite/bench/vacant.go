package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/suite/bench/internal/inventory"
)

// take is what the mesh holds now, as far as the features are concerned.
func (m *mesh) take(ctx context.Context) (inventory.Inventory, error) {
	all, err := m.objects.Take(ctx)
	if err != nil {
		return nil, err
	}
	return all.Within(m.concerned), nil
}

// Terms are what the owner of clusters has to know of a run, beside its rights.
func Terms() string {
	return fmt.Sprintf("while a run lasts, nobody may change anything in the namespaces %s: it would count as the engine's doing;\n"+
		"before it, there may be no Gateway, VirtualService or ServiceEntry in %s",
		strings.Join(append(reservedNamespaces(), rootNamespace()...), ", "), strings.Join(reservedNamespaces(), ", "))
}

// vacate says whether borrowed clusters are free for a run, which has written
// nothing yet. An engine is about to be told that nothing is declared, and takes
// that for the word of the mesh's owner: what is federated there and stems from
// no run has to be found before.
func vacate(ctx context.Context, lab cluster.Lab) error {
	if !cluster.Borrowed(lab) {
		return nil
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, c := range lab.Clusters() {
		all.Go(func() error {
			m, err := newMesh(c, lab)
			if err != nil {
				return err
			}
			if err := m.vacant(ctx); err != nil {
				return fmt.Errorf("cluster %s: %w", c.Name(), explained(err))
			}
			return nil
		})
	}
	return all.Wait()
}

func (m *mesh) vacant(ctx context.Context) error {
	now, err := m.take(ctx)
	if err != nil {
		return err
	}
	found := leftovers(now.Within(m.reserved))
	if len(found) == 0 {
		return nil
	}
	ours, err := m.prepared(ctx)
	if err != nil || ours {
		return err
	}
	return fmt.Errorf("the features need the namespaces %s, and there is something of somebody's: %s: have it moved elsewhere, or use other clusters; nothing was changed",
		strings.Join(m.reserved, ", "), strings.Join(found, "; "))
}

// prepared says whether a run has been here that took nothing away: it was killed
// or asked to leave all there. It has begun when nothing was federated.
func (m *mesh) prepared(ctx context.Context) (bool, error) {
	name := pki.SecretName(m.cluster.Name(), pki.IngressSide)
	secret, err := m.pods.Kube().CoreV1().Secrets(pki.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("secret %s/%s: %w", pki.Namespace, name, err)
	}
	return slices.ContainsFunc(secret.ManagedFields, func(f metav1.ManagedFieldsEntry) bool { return f.Manager == fieldManager }), nil
}
