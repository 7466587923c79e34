package federator

import (
	"context"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// Diff says how the objects of the cluster have drifted from the declarations:
// what is missing, what is left over, and every field that says something else,
// also those that an Apply would leave because another manager has added them. It
// goes on past conflicts, and needs no right to write. A boundary of this mesh that
// these declarations do not reach is a *ConflictError: what it still holds would
// not be among the differences.
func (e *Engine) Diff(ctx context.Context, spec Spec) (Plan, error) {
	if err := api.Validate(spec); err != nil {
		return Plan{}, err
	}
	v, err := e.look(ctx, spec)
	if err != nil {
		return Plan{}, err
	}
	if v.astray != nil {
		return Plan{}, v.astray
	}
	p, err := plan.Make(ctx, e.client, plan.Input{
		Spec: spec, Objects: v.objects, Inventory: v.inventory, Predict: plan.Exactly, Persist: true,
	})
	p.Conflicts = append(p.Conflicts, v.unlisted...)
	return p, err
}
