package controller

import (
	"context"
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
	Converge(ctx context.Context, home string, wish federator.Spec) (federator.Convergence, error)
}

type reconciler struct {
	options Options
	client  client.Client
	engine  engine
	events  events.EventRecorder
	metrics *metrics
}

// retryLimit bounds how long a refusal of the cluster's rests before it is looked
// at again: not everything that can heal it is watched.
const retryLimit = time.Minute

// Reconcile looks at everything: the request only says that something happened.
func (r *reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	d, err := look(ctx, r.client)
	if err != nil {
		return reconcile.Result{}, err
	}
	outcome, failed := r.converge(ctx, d)
	ready, err := r.gatewaysReady(ctx, d.mesh())
	if err != nil {
		return reconcile.Result{}, err
	}
	reports := r.reports(seen{d, outcome, failed, ready, changing(outcome.Plan)})
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
		log.FromContext(ctx).Info("left in the cluster: it is somebody else's by now", "object", left.String())
	}
	for _, v := range outcome.Verdicts {
		if len(v.Problems) > 0 {
			return reconcile.Result{RequeueAfter: min(retryLimit, r.options.Resync)}, nil
		}
	}
	return reconcile.Result{RequeueAfter: r.options.Resync}, nil
}

// converge asks the engine, unless the Mesh is out of this controller's reach:
// then nothing is touched.
func (r *reconciler) converge(ctx context.Context, d declared) (federator.Convergence, error) {
	if m := d.mesh(); m != nil {
		if problem := r.outOfReach(m); problem != "" {
			return federator.Convergence{Verdicts: map[api.Key]federator.Verdict{meshKey(m): verdictFor(causeNotManaged, problem)}}, nil
		}
	}
	return r.engine.Converge(ctx, r.options.GatewayNamespace, d.wish(r.options))
}

// outOfReach says in which namespace of the Mesh this controller has no rights.
func (r *reconciler) outOfReach(m *crd.Mesh) string {
	for field, g := range map[string]*api.Gateway{"spec.ingress": m.Spec.Ingress, "spec.egress": m.Spec.Egress} {
		if g != nil && g.Namespace != r.options.GatewayNamespace {
			return fmt.Sprintf("%s.namespace is %s; this controller looks after the gateways of %s", field, g.Namespace, r.options.GatewayNamespace)
		}
	}
	if root := m.Spec.ControlPlane.RootNamespace(); root != r.options.RootNamespace {
		return fmt.Sprintf("spec.controlPlane.namespace is %s; this controller knows %s", root, r.options.RootNamespace)
	}
	if name := m.Spec.ControlPlane.MeshConfigMap(); name != r.options.MeshConfig {
		return fmt.Sprintf("spec.controlPlane.revision needs the ConfigMap %s; this controller knows %s", name, r.options.MeshConfig)
	}
	return ""
}

func meshKey(m *crd.Mesh) api.Key { return api.Key{Kind: api.KindMesh, Name: m.Name} }

// gateways says of each private gateway whether a pod of it is ready.
type gateways struct{ ingress, egress bool }

func (r *reconciler) gatewaysReady(ctx context.Context, m *crd.Mesh) (gateways, error) {
	if m == nil {
		return gateways{}, nil
	}
	ingress, err := r.gatewayReady(ctx, m.Spec.Ingress)
	if err != nil {
		return gateways{}, err
	}
	egress, err := r.gatewayReady(ctx, m.Spec.Egress)
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
