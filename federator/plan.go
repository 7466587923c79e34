package federator

import (
	"context"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// Plan says what an Apply would change and whose reach that alters. It writes
// nothing, but asks the API server to rehearse each apply, which needs the right
// to patch; with DryRunClient it predicts instead.
//
// Errors: *ValidationError, *PreflightError, *ConflictError, or one of the cluster.
func (e *Engine) Plan(ctx context.Context, spec Spec, opts ...ApplyOption) (Plan, error) {
	if err := api.Validate(spec); err != nil {
		return Plan{}, err
	}
	v, err := e.look(ctx, spec)
	if err != nil {
		return Plan{}, err
	}
	if v.refusal != nil {
		return Plan{}, v.refusal
	}
	return e.compare(ctx, spec, v, e.predict(options(opts)))
}

func options(opts []ApplyOption) applyOptions {
	o := applyOptions{dryRun: DryRunNone}
	for _, opt := range opts {
		opt.applyApply(&o)
	}
	return o
}

func (e *Engine) predict(o applyOptions) plan.Predict {
	if o.dryRun == DryRunClient {
		return plan.Here
	}
	return plan.ByServer(e.client)
}
