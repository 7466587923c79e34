package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// fieldManager is the harness's, as for everything it applies.
const fieldManager = cluster.FieldManager

// patience bounds a wait if the context has no deadline.
const patience = 30 * time.Second

// desk is where declarations are handed in at one cluster.
type desk struct {
	dynamic  dynamic.Interface
	manifest *manifest.Client
}

func dial(c cluster.Cluster) (desk, error) {
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return desk{}, err
	}
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return desk{}, fmt.Errorf("connect: %w", err)
	}
	m, err := manifest.New(config)
	return desk{d, m}, err
}

func (d desk) resource(kind api.Kind, namespace string) dynamic.ResourceInterface {
	return d.dynamic.Resource(crd.GroupVersion().WithResource(plural(kind))).Namespace(namespace)
}

func plural(kind api.Kind) string {
	return map[api.Kind]string{
		api.KindMesh: "meshes", api.KindPeer: "peers", api.KindExposure: "exposures", api.KindConsumption: "consumptions",
	}[kind]
}

// kinds in the order of withdrawal: consumers move first, and the Mesh is what
// everything hangs on.
func kinds() []api.Kind {
	return []api.Kind{api.KindConsumption, api.KindExposure, api.KindPeer, api.KindMesh}
}

func (d desk) apply(ctx context.Context, w wanted) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if w.count(api.KindMesh) != 1 {
		return errors.New("declarations: want exactly one Mesh")
	}
	// Written before the others are deleted, so that what moves from one name to
	// another is missing no longer than it must.
	all, actx := errgroup.WithContext(ctx)
	for _, o := range w.objects {
		all.Go(func() error { return d.write(actx, o) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	if err := d.remove(ctx, kinds(), func(o *unstructured.Unstructured) bool { return !w.has(o) }); err != nil {
		return err
	}
	return d.await(ctx, w)
}

func (d desk) write(ctx context.Context, o *unstructured.Unstructured) error {
	_, err := d.resource(api.Kind(o.GetKind()), o.GetNamespace()).Apply(ctx, o.GetName(), o,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("%s: %w", name(o), err)
	}
	return nil
}

// cancel withdraws what is named; when nothing is left that could need them, the
// peers and the Mesh go too.
func (d desk) cancel(ctx context.Context, w wanted) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return d.withdraw(ctx, w.has)
}

func everything(*unstructured.Unstructured) bool { return true }

func (d desk) withdraw(ctx context.Context, which func(*unstructured.Unstructured) bool) error {
	if err := d.remove(ctx, []api.Kind{api.KindConsumption, api.KindExposure}, which); err != nil {
		return err
	}
	left := 0
	for _, kind := range []api.Kind{api.KindConsumption, api.KindExposure} {
		list, err := d.list(ctx, kind)
		if err != nil {
			return err
		}
		left += len(list)
		if err := d.awaitInForce(ctx, kind, len(list)); err != nil {
			return err
		}
	}
	if left > 0 {
		return nil
	}
	return d.remove(ctx, []api.Kind{api.KindPeer, api.KindMesh}, everything)
}

// remove deletes those of the harness's own resources that are chosen.
func (d desk) remove(ctx context.Context, of []api.Kind, chosen func(*unstructured.Unstructured) bool) error {
	for _, kind := range of {
		list, err := d.list(ctx, kind)
		if err != nil {
			return err
		}
		for i := range list {
			o := &list[i]
			if !chosen(o) {
				continue
			}
			err := d.resource(kind, o.GetNamespace()).Delete(ctx, o.GetName(), metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("delete %s: %w", name(o), err)
			}
		}
	}
	return nil
}

// list are the harness's own resources of a kind. A kind that is not served has
// none: the controller was never installed, or is gone.
func (d desk) list(ctx context.Context, kind api.Kind) ([]unstructured.Unstructured, error) {
	list, err := d.resource(kind, "").List(ctx, metav1.ListOptions{LabelSelector: marker + "=" + markerValue})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind, err)
	}
	return list.Items, nil
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, patience)
}
