package federator

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/preflight"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Cancel takes the spec's exposures and consumptions out of what was applied,
// and nothing else: the inventory knows the rest of the wish, so a file with one
// exposure is enough. Consumers move back first, then routes and grants go
// together, then what nobody needs any more; after the last declaration no trace
// is left. What the inventory does not hold is no error, and not touched. What
// somebody has replaced is not deleted either: the Result names it, and it stays
// in the inventory, so that another Cancel finishes once it is gone.
//
// What a controller keeps is not cancelled but by declarations inside the cluster,
// unless the controller is gone (ControllerGone).
//
// The spec needs its Mesh to find the inventory. Preflight problems do not stop
// a Cancel, and neither does a conflict over an object that others share: what
// can be withdrawn is, and the *ConflictError comes back beside the Result. One also
// comes back where the mesh has a boundary that the spec's Mesh does not lead to, or
// objects that no inventory lists: nothing of it has been cancelled.
func (e *Engine) Cancel(ctx context.Context, spec Spec, opts ...ApplyOption) (Result, error) {
	out, unlisted, err := e.cancel(ctx, spec, options(opts))
	return out, errors.Join(err, joined(unlisted))
}

// cancel also returns what no inventory lists, which is no error of the withdrawal.
func (e *Engine) cancel(ctx context.Context, spec Spec, o applyOptions) (Result, []*ConflictError, error) {
	inv, err := inventory.Load(ctx, e.client, spec.Mesh.Spec.Home(), spec.Mesh.Name)
	if err != nil {
		return Result{Plan: Plan{Mesh: spec.Mesh.Name}}, nil, err
	}
	if inv == nil {
		return e.nothingToCancel(ctx, spec, nil)
	}
	latest := *inv.Latest()
	rest := latest.Without(spec)
	same := len(rest.Exposures) == len(latest.Exposures) && len(rest.Consumptions) == len(latest.Consumptions)
	// With no declaration in force, whatever is in the inventory is left over.
	leftOver := len(latest.Exposures)+len(latest.Consumptions) == 0
	if same && !leftOver && inv.Phase == inventory.PhaseApplied {
		return e.nothingToCancel(ctx, spec, inv)
	}
	if o.controllerGone {
		o.keeper = inv.Keeper // and it stays whose it was: one that comes back withdraws the rest
	}
	if err := kept(inv, o); err != nil {
		return Result{}, nil, err
	}
	v, err := e.look(ctx, rest)
	if err != nil {
		return Result{}, nil, err
	}
	v.scope, v.shrinks = shared, true
	out, err := e.carryOut(ctx, rest, v, o)
	for _, c := range out.Plan.Conflicts {
		err = errors.Join(err, c)
	}
	return out, v.unlisted, errors.Join(err, v.astray)
}

// nothingToCancel is the end when no inventory holds what is to be cancelled. That
// something of the mesh is there all the same is said.
func (e *Engine) nothingToCancel(ctx context.Context, spec Spec, inv *inventory.Inventory) (Result, []*ConflictError, error) {
	out := Result{Plan: Plan{Mesh: spec.Mesh.Name}}
	report, err := preflight.Strays(ctx, e.client, spec, inv)
	if err != nil {
		return out, nil, err
	}
	unlisted, err := e.unlisted(ctx, spec.Mesh.Spec.Home(), report.Unlisted, nil)
	return out, unlisted, errors.Join(report.Astray(), err)
}

// shared picks the objects that stand for the mesh as a whole (listeners,
// subsets, default denies). Those of declarations that stay are left as they
// are, drift and conflicts included: they are not what is being cancelled.
func shared(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(render.DeclaredBy(o), func(by string) bool {
		return strings.HasPrefix(by, string(api.KindMesh)+"/")
	})
}
