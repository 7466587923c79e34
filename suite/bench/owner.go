package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
)

// owners implements steps.Owners. It keeps what was done, by mesh, so that all
// of it can be undone.
type owners struct {
	meshes map[string]*mesh
	// authority is that of the gateways' certificates.
	authority *pki.Authority
	// alone are the meshes' own authorities, by mesh.
	alone map[string]*pki.Authority

	mu sync.Mutex
	// made are objects that were not there before.
	made map[string][]*unstructured.Unstructured
	// applied are those of them that were applied, as the cluster had them then, by
	// name.
	applied map[string]map[string]*unstructured.Unstructured
	// retired are meshes that lack some of their own workloads.
	retired map[string]bool
	// expired are meshes whose ingress gateway has a certificate that is not valid.
	expired map[string]bool
	// distrustful are meshes whose gateway trusts less than it did.
	distrustful map[string]bool
}

var _ steps.Owners = (*owners)(nil)

// ownerFieldManager stands for a person with kubectl, whom no engine knows.
const ownerFieldManager = "meshfed-owner"

func newOwners(meshes map[string]*mesh, authority *pki.Authority, alone map[string]*pki.Authority) *owners {
	return &owners{
		meshes: meshes, authority: authority, alone: alone, made: map[string][]*unstructured.Unstructured{},
		applied: map[string]map[string]*unstructured.Unstructured{}, retired: map[string]bool{}, expired: map[string]bool{}, distrustful: map[string]bool{},
	}
}

func (o *owners) mesh(name string) (*mesh, error) {
	m, known := o.meshes[name]
	if !known {
		return nil, fmt.Errorf("no mesh %q in this lab", name)
	}
	return m, nil
}

// Deploy implements steps.Owners.
func (o *owners) Deploy(ctx context.Context, mesh, service, version string) error {
	m, err := o.mesh(mesh)
	if err != nil {
		return err
	}
	objects, err := fixtures.Later(mesh, service, version, imagesOf(m.cluster))
	if err != nil {
		return err
	}
	if m.borrowed {
		for _, object := range objects {
			if err := mark(object); err != nil {
				return err
			}
		}
	}
	if err := o.apply(ctx, m, objects); err != nil {
		return err
	}
	return m.pods.WaitDeployments(ctx, deployments(objects)...)
}

// Retire implements steps.Owners.
func (o *owners) Retire(ctx context.Context, mesh, service, version string) error {
	m, err := o.mesh(mesh)
	if err != nil {
		return err
	}
	objects, err := fixtures.Manifests(mesh, imagesOf(m.cluster))
	if err != nil {
		return err
	}
	name := service + "-" + version
	for _, object := range objects {
		if object.GetKind() != "Deployment" || object.GetName() != name {
			continue
		}
		o.mu.Lock()
		o.retired[mesh] = true
		o.mu.Unlock()
		if err := m.applier.Delete(ctx, []*unstructured.Unstructured{object}); err != nil {
			return err
		}
		return m.pods.WaitGone(ctx, workload.Ref{Namespace: object.GetNamespace(), Selector: "app=" + service + ",version=" + version})
	}
	return fmt.Errorf("%s has no deployment %s to retire", mesh, name)
}

// Apply implements steps.Owners.
func (o *owners) Apply(ctx context.Context, mesh, manifests string) error {
	m, err := o.mesh(mesh)
	if err != nil {
		return err
	}
	objects, err := manifest.Decode("the owner of "+mesh, []byte(manifests))
	if err != nil {
		return err
	}
	return o.apply(ctx, m, objects)
}

func (o *owners) apply(ctx context.Context, m *mesh, objects []*unstructured.Unstructured) error {
	name := m.cluster.Name()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, object := range objects {
		own(object)
	}
	// Noted before the attempt: half an apply has to be undone too.
	o.made[name] = append(o.made[name], objects...)
	if err := m.applier.Apply(ctx, objects, manifest.ApplyOptions{FieldManager: ownerFieldManager}); err != nil {
		return err
	}
	if o.applied[name] == nil {
		o.applied[name] = map[string]*unstructured.Unstructured{}
	}
	for _, object := range objects {
		live, err := m.applier.Get(ctx, object)
		if err != nil {
			return err
		}
		o.applied[name][named(object)] = live
	}
	return nil
}

// Changed implements steps.Owners.
func (o *owners) Changed(ctx context.Context, mesh string) ([]string, error) {
	m, err := o.mesh(mesh)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.made[mesh]) == 0 {
		return nil, fmt.Errorf("the owner of %s has applied nothing that could be changed", mesh)
	}
	var changed []string
	for _, object := range o.made[mesh] {
		applied := o.applied[mesh][named(object)]
		if applied == nil {
			return nil, fmt.Errorf("%s of the owner of %s was applied only half-way", named(object), mesh)
		}
		live, err := m.applier.Get(ctx, object)
		switch {
		case apierrors.IsNotFound(err):
			changed = append(changed, "gone: "+named(object))
		case err != nil:
			return nil, err
		default:
			changed = append(changed, tampered(applied, live)...)
		}
	}
	return changed, nil
}

// Restore implements steps.Owners.
func (o *owners) Restore(ctx context.Context, mesh string) error {
	m, err := o.mesh(mesh)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	errs := []error{o.trustAgain(ctx, mesh)}
	if o.expired[mesh] {
		_, err := o.Renew(ctx, mesh)
		errs = append(errs, err)
	}
	// What comes back and what goes are other objects, and each waits for pods.
	var back, gone error
	var both sync.WaitGroup
	if o.retired[mesh] {
		both.Go(func() { back = bringBack(ctx, m) })
	}
	both.Go(func() { gone = takeAway(ctx, m, o.made[mesh]) })
	both.Wait()
	if err := errors.Join(append(errs, back, gone)...); err != nil {
		return err
	}
	delete(o.made, mesh)
	delete(o.applied, mesh)
	delete(o.retired, mesh)
	delete(o.expired, mesh)
	return nil
}

// takeAway deletes what an owner has made, and waits for its pods to be gone.
func takeAway(ctx context.Context, m *mesh, made []*unstructured.Unstructured) error {
	if len(made) == 0 {
		return nil
	}
	errs := []error{m.applier.Delete(ctx, made)}
	for _, d := range deployments(made) {
		errs = append(errs, m.pods.WaitGone(ctx, workload.Ref{Namespace: d.Namespace, Selector: podsOf(made, d.Name)}))
	}
	return errors.Join(errs...)
}

// bringBack deploys again what the mesh has by itself.
func bringBack(ctx context.Context, m *mesh) error {
	objects, err := fixtures.Manifests(m.cluster.Name(), imagesOf(m.cluster))
	if err != nil {
		return err
	}
	missing := objects
	if m.borrowed {
		if missing, err = lend(ctx, m.applier, objects); err != nil {
			return err
		}
	}
	if err := m.applier.Apply(ctx, missing, manifest.ApplyOptions{FieldManager: fieldManager}); err != nil {
		return err
	}
	return m.pods.WaitDeployments(ctx, deployments(objects)...)
}

// podsOf selects the pods of one deployment among objects.
func podsOf(objects []*unstructured.Unstructured, deployment string) string {
	for _, o := range objects {
		if o.GetKind() == "Deployment" && o.GetName() == deployment {
			labels, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
			return metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: labels})
		}
	}
	return ""
}
