package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/steps"
)

// explain is `federator explain`, whichever engine has federated: it reads the
// declarations, and what is there. It sees one cluster.
func explain(lab cluster.Lab) steps.Explainer {
	return func(ctx context.Context, mesh, declarations string, a steps.Ask) (steps.Diagnosis, error) {
		spec, err := federator.Parse("declarations of "+mesh, strings.NewReader(declarations))
		if err != nil {
			return steps.Diagnosis{}, fmt.Errorf("explain: %w", err)
		}
		c, err := lab.Cluster(mesh)
		if err != nil {
			return steps.Diagnosis{}, fmt.Errorf("explain: %w", err)
		}
		config, err := cluster.RESTConfig(c)
		if err != nil {
			return steps.Diagnosis{}, fmt.Errorf("explain: %w", err)
		}
		f, err := federator.New(config)
		if err != nil {
			return steps.Diagnosis{}, fmt.Errorf("explain in %s: %w", mesh, err)
		}
		got, err := f.Explain(ctx, spec, federator.Question{Peer: a.Peer, Host: a.Host, Method: a.Method, Path: a.Path})
		if err != nil {
			return steps.Diagnosis{}, fmt.Errorf("explain in %s: %w", mesh, err)
		}
		return ends(got), nil
	}
}

// ends is where the first of the gateway's pods ends a request, or that none does.
func ends(got []federator.Explanation) steps.Diagnosis {
	var d steps.Diagnosis
	for _, one := range got {
		d = steps.Diagnosis{Layer: steps.LayerNone}
		for _, s := range one.Steps {
			d.Way = append(d.Way, fmt.Sprintf("  %s: %s (by %s; made from %s)", s.Layer, s.Story, s.By, s.Object))
			d.Story = fmt.Sprintf("%s (by %s; made from %s)", s.Story, s.By, s.Object)
			if !s.Passed {
				d.Layer = steps.Layer(s.Layer)
				return d
			}
		}
	}
	return d
}
