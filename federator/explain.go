package federator

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admin"
	"github.com/meshfed/meshfed/federator/internal/explain"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// Question is a request of a peer at the ingress gateway, or one of a workload for
// a name that a Consumption serves.
type Question = explain.Question

// Explanation is what becomes of it at one pod of the gateway, step by step.
type Explanation = explain.Answer

// Explain follows a request through what each ready pod of the gateway really
// runs: a peer's through the ingress gateway, a workload's through the objects of
// its namespace and the egress gateway, with what that has counted and logged
// recently about the peer. It sends nothing and writes nothing (see VerifyRights). A
// question without a time (At) is one about now.
//
// Errors: *ValidationError, a question that the declarations cannot answer, or one of
// the cluster.
func (e *Engine) Explain(ctx context.Context, spec Spec, q Question) ([]Explanation, error) {
	if err := api.Validate(spec); err != nil {
		return nil, err
	}
	if q.At.IsZero() {
		q.At = time.Now()
	}
	consumed, err := q.Consumed(spec)
	if err != nil {
		return nil, err
	}
	if consumed != nil {
		return e.explainConsumed(ctx, spec, *consumed, q)
	}
	return e.explainExposed(ctx, spec, q)
}

func (e *Engine) explainExposed(ctx context.Context, spec Spec, q Question) ([]Explanation, error) {
	if _, err := explain.Ask(spec, verify.Dump{}, q); err != nil {
		return nil, err
	}
	pods, err := e.pods(ctx, *spec.Mesh.Spec.Ingress)
	if err != nil {
		return nil, err
	}
	return answers(verify.Ingress, pods, func(d verify.Dump) (Explanation, error) { return explain.Ask(spec, d, q) })
}

func (e *Engine) explainConsumed(ctx context.Context, spec Spec, c api.Consumption, q Question) ([]Explanation, error) {
	if _, err := explain.AskConsumer(spec, c, explain.Objects{}, verify.Dump{}, q); err != nil {
		return nil, err
	}
	gateway := *spec.Mesh.Spec.Egress
	pods, err := e.pods(ctx, gateway)
	if err != nil {
		return nil, err
	}
	if err := admin.Listen(ctx, e.admin, gateway, pods); err != nil {
		return nil, err
	}
	objects, err := e.leading(ctx, c.Namespace, gateway.Namespace)
	if err != nil {
		return nil, err
	}
	return answers(verify.Egress, pods, func(d verify.Dump) (Explanation, error) {
		return explain.AskConsumer(spec, c, objects, d, q)
	})
}

// pods looks into a gateway; one without a ready pod explains nothing.
func (e *Engine) pods(ctx context.Context, g api.Gateway) ([]admin.Pod, error) {
	pods, err := admin.Read(ctx, e.client, e.admin, g)
	if err == nil && len(pods) == 0 {
		err = fmt.Errorf("explain: no pod of the gateway %s/%s is ready", g.Namespace, g.Service)
	}
	return pods, err
}

// leading reads the objects by which a call leaves its namespace.
func (e *Engine) leading(ctx context.Context, namespace, gateways string) (explain.Objects, error) {
	const networking = "networking.istio.io/v1"
	var out explain.Objects
	all, ctx := errgroup.WithContext(ctx)
	for _, one := range []struct {
		version, kind, namespace string
		into                     *[]unstructured.Unstructured
	}{
		{"v1", "Service", namespace, &out.Services}, {networking, "VirtualService", namespace, &out.VirtualServices},
		{networking, "DestinationRule", gateways, &out.DestinationRules}, {networking, "ServiceEntry", gateways, &out.ServiceEntries},
	} {
		all.Go(func() (err error) {
			*one.into, err = e.client.List(ctx, one.version, one.kind, one.namespace)
			return err
		})
	}
	err := all.Wait()
	return out, err
}

func answers(side verify.Side, pods []admin.Pod, ask func(verify.Dump) (Explanation, error)) ([]Explanation, error) {
	var out []Explanation
	for _, p := range pods {
		a, err := ask(verify.Dump{Side: side, Pod: p.Name, Port: p.Port, Config: p.Config})
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
