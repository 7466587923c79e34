package bench

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
)

// Trust implements steps.Owners. The gateway keeps its own certificate: what
// changes is whom it believes.
func (o *owners) Trust(ctx context.Context, mesh string, t steps.Trust) error {
	m, err := o.mesh(mesh)
	if err != nil {
		return err
	}
	secret, err := o.trusting(mesh, t)
	if err != nil {
		return fmt.Errorf("whom %s trusts: %w", mesh, err)
	}
	if m.borrowed {
		if err := mark(secret); err != nil {
			return err
		}
	}
	if t.Secret != "" {
		return o.apply(ctx, m, []*unstructured.Unstructured{secret})
	}
	o.mu.Lock()
	o.distrustful[mesh] = true
	o.mu.Unlock()
	return m.applier.Apply(ctx, []*unstructured.Unstructured{secret}, manifest.ApplyOptions{FieldManager: fieldManager})
}

func (o *owners) trusting(mesh string, t steps.Trust) (*unstructured.Unstructured, error) {
	credential, err := o.authority.Issue(pki.Ingress(mesh))
	if err != nil {
		return nil, err
	}
	if t.AnotherRoot {
		other, err := pki.New(pki.Options{})
		if err != nil {
			return nil, err
		}
		credential.RootPEM = other.RootPEM()
	}
	name := t.Secret
	if name == "" {
		name = pki.SecretName(mesh, pki.IngressSide)
	}
	secret := pki.Secret(name, credential)
	if len(t.Revoked) == 0 {
		return secret, nil
	}
	crl, err := o.authority.CRL(t.Revoked...)
	if err != nil {
		return nil, err
	}
	return pki.WithCRL(secret, crl), nil
}

// trustAgain brings the gateways' own secrets back. The list of revoked
// certificates goes with the apply, since it belongs to the same manager.
func (o *owners) trustAgain(ctx context.Context, mesh string) error {
	if !o.distrustful[mesh] {
		return nil
	}
	secret, err := o.trusting(mesh, steps.Trust{})
	if err != nil {
		return err
	}
	if err := o.meshes[mesh].applier.Apply(ctx, []*unstructured.Unstructured{secret}, manifest.ApplyOptions{FieldManager: fieldManager}); err != nil {
		return err
	}
	delete(o.distrustful, mesh)
	return nil
}

// Entrances implements steps.Owners. Peers that are no cluster of the lab have
// nothing to be put into.
func (o *owners) Entrances(ctx context.Context, mesh string, peers []string) error {
	for _, peer := range peers {
		here, err := o.authority.Entrance(mesh, peer, o.alone[peer])
		if err != nil {
			return err
		}
		there, err := o.alone[peer].Caller(peer, o.authority)
		if err != nil {
			return err
		}
		for name, secret := range map[string]*unstructured.Unstructured{mesh: here, peer: there} {
			if err := o.entrust(ctx, name, secret); err != nil {
				return fmt.Errorf("entrance of %s for %s: %w", mesh, peer, err)
			}
		}
	}
	return nil
}

// entrust gives a mesh of the lab a secret until it is restored.
func (o *owners) entrust(ctx context.Context, name string, secret *unstructured.Unstructured) error {
	m, known := o.meshes[name]
	if !known {
		return nil
	}
	if m.borrowed {
		if err := mark(secret); err != nil {
			return err
		}
	}
	return o.apply(ctx, m, []*unstructured.Unstructured{secret})
}
