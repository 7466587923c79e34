package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	discovery "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// engine is what the loop needs of package federator.
type engine interface {
	Converge(ctx context.Context, home string, wish federator.Spec, opts ...federator.ConvergeOption) (federator.Convergence, error)
}

type reconciler struct {
	options Options
	client  client.Client
	engine  engine
	events  events.EventRecorder
	metrics *metrics
}

// retryLimit is the longest time between two looks while a declaration has a problem
// of the cluster: not everything that can cure it is watched.
const retryLimit = time.Minute

// Reconcile looks at everything: the request only says that something happened.
func (r *reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	d, err := look(ctx, r.client)
	if err != nil {
		return reconcile.Result{}, err
	}
	outcome, failed := r.engine.Converge(ctx, r.options.GatewayNamespace, d.wish(r.options), federator.Reach(r.outOfReach))
	ready, err := r.gatewaysReady(ctx, boundary(d, outcome))
	if err != nil {
		return reconcile.Result{}, err
	}
	reports := r.reports(seen{d, outcome, stopped(failed), ready, changing(outcome.Plan)})
	if err := r.tell(ctx, reports); err != nil {
		return reconcile.Result{}, err
	}
	r.metrics.note(reports, outcome, failed)
	if failed != nil {
		return reconcile.Result{}, failed
	}
	if outcome.Writes > 0 {
		log.FromContext(ctx).Info("converged", "writes", outcome.Writes,
			"exposures", len(outcome.InForce.Exposures), "consumptions", len(outcome.InForce.Consumptions))
	}
	for _, left := range outcome.Left {
		// The Mesh tells it as well, unless the Mesh itself is gone.
		log.FromContext(ctx).Info("left in the cluster: it is not this controller's to delete", "object", left.String())
	}
	for _, v := range outcome.Verdicts {
		if len(v.Problems) > 0 {
			return reconcile.Result{RequeueAfter: min(retryLimit, r.options.Resync)}, nil
		}
	}
	return reconcile.Result{RequeueAfter: r.options.Resync}, nil
}

// stopped is the error that ended a convergence early; nil when all was judged.
func stopped(failed error) error {
	var passing *federator.PassingError
	if errors.As(failed, &passing) {
		return nil
	}
	return failed
}

// boundary is the Mesh that is in force, or else the declared one.
func boundary(d declared, outcome federator.Convergence) api.MeshSpec {
	m := d.mesh()
	switch {
	case outcome.InForce.Mesh.Name != "":
		return outcome.InForce.Mesh.Spec
	case m != nil:
		return m.Spec
	}
	return api.MeshSpec{}
}

// outOfReach says in which namespaces of the Mesh this controller has no rights. The
// order is always the same: what is told must not change from look to look.
func (r *reconciler) outOfReach(m api.Mesh) []federator.Problem {
	var out []federator.Problem
	far := func(field, reason string) {
		out = append(out, federator.Problem{Declaration: m.Key().String(), Field: field, Reason: reason, Cause: causeNotManaged})
	}
	for _, g := range []struct {
		field   string
		gateway *api.Gateway
	}{{"spec.ingress.namespace", m.Spec.Ingress}, {"spec.egress.namespace", m.Spec.Egress}} {
		if g.gateway != nil && g.gateway.Namespace != r.options.GatewayNamespace {
			far(g.field, fmt.Sprintf("it is %s; this controller looks after the gateways of %s", g.gateway.Namespace, r.options.GatewayNamespace))
		}
	}
	if root := m.Spec.ControlPlane.RootNamespace(); root != r.options.RootNamespace {
		far("spec.controlPlane.namespace", fmt.Sprintf("it is %s; this controller knows %s", root, r.options.RootNamespace))
	}
	if name := m.Spec.ControlPlane.MeshConfigMap(); name != r.options.MeshConfig {
		far("spec.controlPlane.revision", fmt.Sprintf("it needs the ConfigMap %s; this controller knows %s", name, r.options.MeshConfig))
	}
	return out
}

func meshKey(m *crd.Mesh) api.Key { return api.Key{Kind: api.KindMesh, Name: m.Name} }

// gateways says of each private gateway whether a pod of it is ready.
type gateways struct{ ingress, egress bool }

func (r *reconciler) gatewaysReady(ctx context.Context, m api.MeshSpec) (gateways, error) {
	ingress, err := r.gatewayReady(ctx, m.Ingress)
	if err != nil {
		return gateways{}, err
	}
	egress, err := r.gatewayReady(ctx, m.Egress)
	return gateways{ingress, egress}, err
}

func (r *reconciler) gatewayReady(ctx context.Context, g *api.Gateway) (bool, error) {
	if g == nil || g.Namespace != r.options.GatewayNamespace {
		return false, nil
	}
	var slices discovery.EndpointSliceList
	if err := r.client.List(ctx, &slices, client.InNamespace(g.Namespace), client.MatchingLabels{discovery.LabelServiceName: g.Service}); err != nil {
		return false, fmt.Errorf("endpoints of gateway %s/%s: %w", g.Namespace, g.Service, err)
	}
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				return true, nil
			}
		}
	}
	return false, nil
}
