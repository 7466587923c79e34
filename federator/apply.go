package federator

import (
	"context"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/apply"
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
	return e.carryOut(ctx, spec, v, options(opts))
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
		Plan: p, Wish: spec, Inventory: v.inventory, Home: spec.Mesh.Spec.Home(), Partial: v.scope != nil,
	})
	return out, err
}
