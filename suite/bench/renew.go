package bench

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/fixtures/pki"
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
	if err := certify(ctx, m, bundle.Secrets()); err != nil {
		return steps.Serials{}, fmt.Errorf("renew the certificates of %s: %w", mesh, err)
	}
	return steps.Serials{
		steps.IngressGateway: bundle.Ingress.Leaf.SerialNumber,
		steps.EgressGateway:  bundle.Egress.Leaf.SerialNumber,
	}, nil
}

// Expire implements steps.Owners.
func (o *owners) Expire(ctx context.Context, mesh string) (steps.Serials, error) {
	m, err := o.mesh(mesh)
	if err != nil {
		return steps.Serials{}, err
	}
	late, err := o.authority.Issue(pki.Ingress(mesh).Expired(time.Now()))
	if err != nil {
		return steps.Serials{}, fmt.Errorf("let the certificate of %s expire: %w", mesh, err)
	}
	o.mu.Lock()
	// Noted before the attempt: half of it has to be undone too.
	o.expired[mesh] = true
	o.mu.Unlock()
	secret := pki.Secret(pki.SecretName(mesh, pki.IngressSide), late)
	if err := certify(ctx, m, []*unstructured.Unstructured{secret}); err != nil {
		return steps.Serials{}, fmt.Errorf("let the certificate of %s expire: %w", mesh, err)
	}
	return steps.Serials{steps.IngressGateway: late.Leaf.SerialNumber}, nil
}

// certify puts certificates where the gateways find them.
func certify(ctx context.Context, m *mesh, secrets []*unstructured.Unstructured) error {
	if m.borrowed {
		for _, secret := range secrets {
			if err := mark(secret); err != nil {
				return err
			}
		}
	}
	return m.applier.Apply(ctx, secrets, manifest.ApplyOptions{FieldManager: fieldManager})
}
