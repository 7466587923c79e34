package bench

import (
	"context"
	"fmt"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/steps"
)

// Renew implements steps.Owners. The old certificates are as good as the new
// ones, so there is nothing to restore.
func (o *owners) Renew(ctx context.Context, mesh string) (steps.Serials, error) {
	m, err := o.mesh(mesh)
	if err != nil {
		return steps.Serials{}, err
	}
	bundle, err := o.authority.Bundle(mesh)
	if err != nil {
		return steps.Serials{}, fmt.Errorf("renew the certificates of %s: %w", mesh, err)
	}
	secrets := bundle.Secrets()
	if m.borrowed {
		for _, secret := range secrets {
			if err := mark(secret); err != nil {
				return steps.Serials{}, err
			}
		}
	}
	if err := m.applier.Apply(ctx, secrets, manifest.ApplyOptions{FieldManager: fieldManager}); err != nil {
		return steps.Serials{}, fmt.Errorf("renew the certificates of %s: %w", mesh, err)
	}
	return steps.Serials{
		steps.IngressGateway: bundle.Ingress.Leaf.SerialNumber,
		steps.EgressGateway:  bundle.Egress.Leaf.SerialNumber,
	}, nil
}
