package federator

import (
	"context"
	"fmt"
	"time"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admin"
	"github.com/meshfed/meshfed/federator/internal/explain"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// Question is a request of a peer at the ingress gateway.
type Question = explain.Question

// Explanation is what becomes of it at one pod of the gateway, step by step.
type Explanation = explain.Answer

// Explain follows a request through what each ready pod of the ingress gateway
// really runs. It sends nothing and writes nothing; it may get ConfigMaps and
// Services, list pods and create pods/portforward in the gateway's namespace.
func (e *Engine) Explain(ctx context.Context, spec Spec, q Question) ([]Explanation, error) {
	if err := api.Validate(spec); err != nil {
		return nil, err
	}
	if _, err := explain.Ask(spec, verify.Dump{}, q); err != nil {
		return nil, err
	}
	g := *spec.Mesh.Spec.Ingress
	pods, err := admin.Read(ctx, e.client, e.admin, g)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("explain: no pod of the gateway %s/%s is ready", g.Namespace, g.Service)
	}
	if q.At.IsZero() {
		q.At = time.Now()
	}
	var out []Explanation
	for _, p := range pods {
		a, err := explain.Ask(spec, verify.Dump{Side: verify.Ingress, Pod: p.Name, Port: p.Port, Config: p.Config}, q)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
