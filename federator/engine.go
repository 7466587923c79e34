package federator

import (
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admin"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/plan"
	"github.com/meshfed/meshfed/federator/internal/preflight"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Load reads declarations from files and folders and validates them as one wish.
// Errors: *ValidationError with all that is wrong, or one of the file system.
func Load(paths ...string) (Spec, error) { return api.Load(paths...) }

// Parse reads declarations from a stream; name stands for it in errors, which are
// those of Load.
func Parse(name string, r io.Reader) (Spec, error) { return api.Parse(name, r) }

// Render gives the objects of a spec for a cluster that holds none of the
// consumed Services yet, in the order of creation. It needs no cluster.
// Errors: *ValidationError.
func Render(spec Spec) ([]*unstructured.Unstructured, error) {
	if err := api.Validate(spec); err != nil {
		return nil, err
	}
	return render.Objects(spec, render.Facts{})
}

// Engine works on one cluster. It keeps nothing between calls and is safe for
// concurrent use; two engines at once on one cluster are kept apart by the
// inventory, and the later one gets a ConflictError.
type Engine struct {
	client  kube.Client
	admin   admin.Getter
	options engineOptions
}

// New makes an engine for the cluster of cfg. It does not contact it: an error is
// one of cfg or of an option.
func New(cfg *rest.Config, opts ...Option) (*Engine, error) {
	client, err := kube.Dial(cfg)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(client, opts...)
	if err != nil {
		return nil, err
	}
	e.admin = admin.NewForward(cfg)
	return e, nil
}

func newEngine(client kube.Client, opts ...Option) (*Engine, error) {
	e := &Engine{client: client}
	for _, o := range opts {
		if err := o.applyEngine(&e.options); err != nil {
			return nil, fmt.Errorf("make engine: %w", err)
		}
	}
	return e, nil
}

// look is what one call sees of the cluster before it compares.
type look struct {
	objects   []*unstructured.Unstructured
	inventory *inventory.Inventory
	// refusal is what preflight found; nil when nothing stands in the way.
	refusal error
	// astray is the part of it that says that this is the wrong inventory.
	astray error
	// unlisted is the part of it that no inventory lists.
	unlisted []*ConflictError
	// scope narrows what is compared; nil means everything.
	scope func(*unstructured.Unstructured) bool
	// shrinks: the wish only takes away.
	shrinks bool
}

// look reads the cluster and renders the wish for it.
func (e *Engine) look(ctx context.Context, spec Spec) (look, error) {
	inv, err := inventory.Load(ctx, e.client, spec.Mesh.Spec.Home(), spec.Mesh.Name)
	if err != nil {
		return look{}, err
	}
	report, err := e.preflight(ctx, spec, inv)
	if err != nil {
		return look{}, err
	}
	v := look{inventory: inv, astray: report.Astray()}
	if v.objects, err = e.render(spec, report.Facts); err != nil {
		return v, err
	}
	v.unlisted, err = e.unlisted(ctx, spec.Mesh.Spec.Home(), report.Unlisted, v.objects)
	v.refusal = errors.Join(report.Err(), joined(v.unlisted))
	return v, err
}

func (e *Engine) preflight(ctx context.Context, spec Spec, inv *inventory.Inventory) (preflight.Report, error) {
	o := e.options.preflight
	o.Inventory = inv
	return preflight.Check(ctx, e.client, spec, o)
}

func (e *Engine) compare(ctx context.Context, spec Spec, v look, predict plan.Predict) (Plan, error) {
	return plan.Make(ctx, e.client, plan.Input{
		Spec: spec, Objects: v.objects, Inventory: v.inventory, Predict: predict, Scope: v.scope, Persist: v.scope != nil,
	})
}

// render also runs the transformation of broken-engine tests, and puts our
// labels on what it may have added: an object without them would be nobody's.
func (e *Engine) render(spec Spec, facts render.Facts) ([]*unstructured.Unstructured, error) {
	objects, err := render.Objects(spec, facts)
	if err != nil || e.options.transform == nil {
		return objects, err
	}
	objects = e.options.transform(objects)
	for _, o := range objects {
		labels := o.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[render.LabelManagedBy], labels[render.LabelMesh] = render.Manager, spec.Mesh.Name
		o.SetLabels(labels)
	}
	return objects, nil
}
