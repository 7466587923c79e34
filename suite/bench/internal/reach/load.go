package reach

import (
	"context"
	"net/http"
	"slices"

	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
)

// Load implements steps.Meshes.
func (r *Reach) Load(ctx context.Context, mesh string, plan load.Plan) (load.Result, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return load.Result{}, err
	}
	if r.jobs {
		return byJob(ctx, m, plan)
	}
	from, err := sender(ctx, m, "")
	if err != nil {
		return load.Result{}, err
	}
	return traffic.Workload{Pods: m.Pods, Ref: from, Program: fixtures.Binary}.Load(ctx, plan)
}

// EdgeLoad implements steps.Meshes. The authority is the gateway's own.
func (r *Reach) EdgeLoad(ctx context.Context, mesh string, plan load.Plan, as map[string]steps.Caller) (load.Result, error) {
	edges := map[string]traffic.Edge{}
	for _, t := range plan.Targets {
		edge, err := r.edge(ctx, mesh, as[t.Name])
		if err != nil {
			return load.Result{}, err
		}
		edges[t.Name] = edge
	}
	plan.Targets = addressed(plan.Targets, edges)
	return load.Run(ctx, plan, func(t load.Target) http.RoundTripper { return edges[t.Name].Transport(t) })
}

// addressed are the targets with the authorities of the edges at which they
// knock. The caller's stay as they are: their load may be sent again.
func addressed(targets []load.Target, edges map[string]traffic.Edge) []load.Target {
	targets = slices.Clone(targets)
	for i, t := range targets {
		targets[i].URL = "https://" + edges[t.Name].Server.DNS + t.URL
	}
	return targets
}
