package federator

import (
	"context"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/apply"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// Apply makes the cluster hold exactly the spec: it creates and updates what is
// rendered, and prunes what the inventory holds beyond it. It stops at the first
// error, and then the returned Result still counts what was written; another
// Apply goes on from there. A second Apply of the same spec writes nothing.
//
// Errors: *ValidationError, *PreflightError, *ConflictError (find them with
// errors.As), or one of the cluster.
func (e *Engine) Apply(ctx context.Context, spec Spec, opts ...ApplyOption) (Result, error) {
	if err := api.Validate(spec); err != nil {
		return Result{}, err
	}
	v, err := e.look(ctx, spec)
	if err != nil {
		return Result{}, err
	}
	if v.refusal != nil {
		return Result{}, v.refusal
	}
	o := options(opts)
	if err := kept(v.inventory, o); err != nil {
		return Result{}, err
	}
	return e.carryOut(ctx, spec, v, o)
}

func (e *Engine) carryOut(ctx context.Context, spec Spec, v look, o applyOptions) (Result, error) {
	p, err := e.compare(ctx, spec, v, e.predict(o))
	if err != nil {
		return Result{}, err
	}
	out := Result{Plan: p, DryRun: o.dryRun != DryRunNone && o.dryRun != "", Left: p.Left}
	if out.DryRun {
		return out, nil
	}
	out.Writes, err = apply.Run(ctx, e.client, apply.Input{
		Plan: p, Wish: spec, Inventory: v.inventory, Home: spec.Mesh.Spec.Home(), Keeper: o.keeper, Partial: v.scope != nil, Shrinks: v.shrinks,
	})
	return out, err
}

// kept refuses to write beside a controller: it would take everything back at
// its next look. Whether it is alive the cluster does not say: a lease ends with a
// crash, too, and without leader election there is none.
func kept(inv *inventory.Inventory, o applyOptions) error {
	if inv == nil || inv.Keeper == o.keeper || o.keeper == inventory.KeeperController || o.dryRun == DryRunClient || o.dryRun == DryRunServer {
		return nil
	}
	return &ConflictError{Object: plan.ObjectRef{APIVersion: "v1", Kind: "ConfigMap", Name: inventory.Name},
		Reason: "a controller keeps this cluster; change the Mesh, Peers, Exposures and Consumptions in it, or delete them and then take the controller away; " +
			"if it is gone already, federator cancel --controller-gone withdraws what it has made"}
}
