package bench

import (
	"context"
	"fmt"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/reach"
	"github.com/meshfed/meshfed/suite/bench/internal/why"
)

// Why sends a request from a workload of a mesh and names the layer that breaks
// it. It changes nothing: whatever is federated stays as it is. The lab must be
// one that Deploy has prepared.
func Why(ctx context.Context, lab cluster.Lab, mesh string, r steps.Request) (steps.Diagnosis, error) {
	authority, err := authorityThere(ctx, lab)
	if err != nil {
		return steps.Diagnosis{}, fmt.Errorf("why: %w", err)
	}
	meshes := map[string]reach.Mesh{}
	for _, c := range lab.Clusters() {
		m, err := newMesh(c, lab)
		if err != nil {
			return steps.Diagnosis{}, fmt.Errorf("why: %w", err)
		}
		meshes[c.Name()] = reach.Mesh{Cluster: c, Pods: m.pods}
	}
	through, err := reach.New(meshes, authority.Authority)
	if err != nil {
		return steps.Diagnosis{}, fmt.Errorf("why: %w", err)
	}
	defer through.Close()
	return through.Why(ctx, mesh, r)
}

// WhyOf names the layer that broke a scenario, from the folder of its evidence,
// and the request that it judged.
func WhyOf(dir string) (steps.Diagnosis, string, error) {
	return why.FromEvidence(dir, istio.EgressGateway)
}
