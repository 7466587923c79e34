package federator

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admin"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/preflight"
	"github.com/meshfed/meshfed/federator/internal/render"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// Verification is what Verify found.
type Verification = verify.Report

// Finding is one difference between the declarations and what is there.
type Finding = verify.Finding

// FindingKind is the closed set of such differences.
type FindingKind = verify.Kind

// FindingKinds are all of them.
func FindingKinds() []FindingKind { return verify.Kinds() }

// Verify holds what is reachable at the boundary against the declarations: the
// objects in the cluster, whoever made them, and what the gateways' Envoys really
// run. It writes nothing. It may list the kinds of object that bear on the
// boundary in all namespaces, list pods and port-forward to the gateways' own
// (see VerifyRights).
//
// A change takes a moment from the objects to the Envoys: right after an Apply
// the findings can be those of the state before.
//
// Errors: *ValidationError, or one of the cluster, such as a pod that cannot be
// asked: what was not looked at is never proven.
func (e *Engine) Verify(ctx context.Context, spec Spec) (Verification, error) {
	if err := api.Validate(spec); err != nil {
		return Verification{}, err
	}
	in := verify.Input{Spec: spec, Now: time.Now()}
	var facts render.Facts
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		report, err := preflight.Check(gctx, e.client, spec, preflight.Options{SecretsUnread: true})
		facts = report.Facts
		return errors.Join(err, report.Unreadable())
	})
	g.Go(func() (err error) {
		in.Objects, err = e.bearing(gctx, spec)
		return err
	})
	g.Go(func() (err error) {
		in.Dumps, err = e.dumps(gctx, spec)
		return err
	})
	err := g.Wait()
	if err != nil {
		return Verification{}, err
	}
	// What the tests of broken engines do to the objects must show: it is no part
	// of what is wanted.
	if in.Wanted, err = render.Objects(spec, facts); err != nil {
		return Verification{}, err
	}
	return verify.Check(in), nil
}

// bearing reads the objects that Verify judges, the mesh config among them.
func (e *Engine) bearing(ctx context.Context, spec Spec) ([]unstructured.Unstructured, error) {
	kinds, gateways := verify.Bearing(), gatewayNamespaces(spec)
	lists := make([][]unstructured.Unstructured, len(kinds)+1+len(gateways))
	g, ctx := errgroup.WithContext(ctx)
	for i, kind := range kinds {
		g.Go(func() (err error) {
			lists[i], err = e.client.List(ctx, kind.APIVersion, kind.Kind, "")
			if kind.Optional && errors.Is(err, kube.ErrNotServed) {
				err = nil // a cluster that does not know the kind has none
			}
			return err
		})
	}
	for i, namespace := range gateways {
		g.Go(func() (err error) {
			lists[len(kinds)+1+i], err = e.client.List(ctx, "v1", "Pod", namespace)
			return err
		})
	}
	g.Go(func() error {
		plane := spec.Mesh.Spec.ControlPlane
		o, err := e.client.Get(ctx, kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: plane.RootNamespace(), Name: plane.MeshConfigMap()})
		if o != nil {
			lists[len(kinds)] = []unstructured.Unstructured{*o}
		}
		return err
	})
	err := g.Wait()
	var out []unstructured.Unstructured
	for _, l := range lists {
		out = append(out, l...)
	}
	return out, err
}

func gatewayNamespaces(spec Spec) []string {
	var out []string
	for _, g := range []*api.Gateway{spec.Mesh.Spec.Ingress, spec.Mesh.Spec.Egress} {
		if g != nil && !slices.Contains(out, g.Namespace) {
			out = append(out, g.Namespace)
		}
	}
	return out
}

// dumps looks into the gateways that the Mesh names.
func (e *Engine) dumps(ctx context.Context, spec Spec) ([]verify.Dump, error) {
	var out []verify.Dump
	for _, side := range []struct {
		name    verify.Side
		gateway *api.Gateway
	}{{verify.Ingress, spec.Mesh.Spec.Ingress}, {verify.Egress, spec.Mesh.Spec.Egress}} {
		if side.gateway == nil {
			continue
		}
		pods, err := admin.Read(ctx, e.client, e.admin, *side.gateway)
		if err != nil {
			return nil, err
		}
		for _, p := range pods {
			out = append(out, verify.Dump{Side: side.name, Pod: p.Name, Port: p.Port, Config: p.Config})
		}
	}
	return out, nil
}
