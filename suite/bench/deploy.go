package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
)

// MinClusters is how many meshes the features need.
const MinClusters = 2

// fieldManager owns what is deployed here.
const fieldManager = "meshfed-fixtures"

// Deploy brings Bookinfo and the gateways' certificates onto the meshes of a
// lab and returns when all of it is ready. It is idempotent, and quick where
// everything is in place already: a lab that stays up is deployed to once.
func Deploy(ctx context.Context, lab cluster.Lab) error {
	if n := len(lab.Clusters()); n < MinClusters {
		return fmt.Errorf("lab %s has %d clusters; the features need at least %d", lab.Name(), n, MinClusters)
	}
	if err := vacate(ctx, lab); err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	authority, err := authority(ctx, lab)
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, c := range lab.Clusters() {
		all.Go(func() error {
			if err := deploy(ctx, c, authority, cluster.Borrowed(lab)); err != nil {
				return fmt.Errorf("deploy on %s: %w", c.Name(), explained(err))
			}
			return nil
		})
	}
	return all.Wait()
}

// explained says what to do about a right or an image that is missing.
func explained(err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w; `conformance doctor` prints the rights that are needed", err)
	case errors.Is(err, workload.ErrNoImage):
		return fmt.Errorf("%w; put it on every node, or into a registry from which the clusters pull and name it by --image: `conformance images build` makes it", err)
	}
	return err
}

func deploy(ctx context.Context, c cluster.Cluster, a *authorityOf, borrowed bool) error {
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return err
	}
	pods, err := workload.New(config)
	if err != nil {
		return err
	}
	applier, err := manifest.New(config)
	if err != nil {
		return err
	}
	objects, err := fixtures.Manifests(c.Name(), imagesOf(c))
	if err != nil {
		return err
	}
	secrets, err := a.missingSecrets(ctx, pods.Kube(), c.Name())
	if err != nil {
		return err
	}
	missing := slices.Concat(secrets, objects)
	if borrowed {
		if err := checkMesh(ctx, pods); err != nil {
			return err
		}
		if missing, err = lend(ctx, applier, missing); err != nil {
			return err
		}
	}
	if err := c.LoadImage(ctx, fixtures.Image); err != nil {
		return err
	}
	if err := applier.Apply(ctx, missing, manifest.ApplyOptions{FieldManager: fieldManager}); err != nil {
		return err
	}
	if err := pods.WaitDeployments(ctx, slices.Concat(deployments(objects), gateways())...); err != nil || !borrowed {
		return err
	}
	return checkInjected(ctx, pods, objects)
}

// imagesOf has the fixtures' pods call their image as the cluster does.
func imagesOf(c cluster.Cluster) fixtures.Options {
	return fixtures.Options{Image: cluster.ImageIn(c, fixtures.Image)}
}

func deployments(objects []*unstructured.Unstructured) []types.NamespacedName {
	var names []types.NamespacedName
	for _, o := range objects {
		if o.GroupVersionKind() == appsv1.SchemeGroupVersion.WithKind("Deployment") {
			names = append(names, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()})
		}
	}
	return names
}

func gateways() []types.NamespacedName {
	return []types.NamespacedName{
		{Namespace: istio.GatewayNamespace, Name: istio.IngressGateway},
		{Namespace: istio.GatewayNamespace, Name: istio.EgressGateway},
	}
}
