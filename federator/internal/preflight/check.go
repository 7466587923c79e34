package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Options narrow what is looked at. The zero value looks at everything.
type Options struct {
	// SecretsUnread leaves the gateways' credentials alone, for who has no right to
	// read them: a gateway without them stays shut.
	SecretsUnread bool
	// Inventory as the wish finds it; nil when there is none.
	Inventory *inventory.Inventory
}

// Report is what preflight found.
type Report struct {
	// Facts for rendering; complete even when there are problems, but for the
	// namespaces that are unread.
	Facts render.Facts
	// Unread are namespaces of declarations that the engine may not read, with what
	// the API server says. It knows nothing of them: what is rendered for them is a
	// guess, and their objects are to be left as they stand.
	Unread map[string]error
	// Problems to mend first.
	Problems []Problem
	// Conflicts with objects of other owners.
	Conflicts []Conflict
	// Elsewhere are Gateways of this mesh that another inventory lists.
	Elsewhere []Conflict
	// Unlisted are objects with this mesh's labels that the inventory does not list:
	// what is about to be rendered is taken over, and nothing withdraws the rest.
	Unlisted []kube.Ref
}

// Err is nil when nothing stands in the way; otherwise it holds an *Error, the
// conflicts, or both.
func (r Report) Err() error {
	var errs []error
	if len(r.Problems) > 0 {
		errs = append(errs, &Error{Problems: r.Problems})
	}
	for _, c := range r.Conflicts {
		errs = append(errs, c.ConflictError)
	}
	return errors.Join(append(errs, r.Astray())...)
}

// Astray is nil unless the wish has lost sight of a boundary of its own mesh. Then
// no comparison with it is worth anything: what is still there is in no list.
func (r Report) Astray() error {
	errs := make([]error, len(r.Elsewhere))
	for i, c := range r.Elsewhere {
		errs[i] = c.ConflictError
	}
	return errors.Join(errs...)
}

// Unreadable is nil unless a namespace is unread. Then what is rendered cannot be
// held against the cluster.
func (r Report) Unreadable() error {
	var errs []error
	for _, ns := range slices.Sorted(maps.Keys(r.Unread)) {
		errs = append(errs, fmt.Errorf("preflight: namespace %s: %w", ns, r.Unread[ns]))
	}
	return errors.Join(errs...)
}

// Check reads the cluster and judges it. The error is one of reading; what was
// found is in the report.
func Check(ctx context.Context, c kube.Client, spec api.Spec, o Options) (Report, error) {
	s, err := read(ctx, c, spec, o)
	if err != nil {
		return Report{}, fmt.Errorf("preflight: %w", err)
	}
	k := &checker{spec: spec, snap: s, options: o}
	k.meshConfigured()
	for _, g := range gateways(spec) {
		k.gateway(g)
		k.policies(g)
		k.listeners(g)
	}
	k.exposed()
	k.consumed()
	k.routes()
	k.elsewhere()
	k.unlisted()
	slices.SortStableFunc(k.report.Conflicts, func(a, b Conflict) int {
		return cmp.Compare(a.Error(), b.Error())
	})
	k.report.Facts, k.report.Unread = facts(s, spec), s.unread
	return k.report, nil
}

// Strays reads the boundary alone, for who renders nothing: what Report.Astray says,
// and what is Unlisted. A cluster that knows no Gateways has none.
func Strays(ctx context.Context, c kube.Client, spec api.Spec, inv *inventory.Inventory) (Report, error) {
	s := &snapshot{}
	g, gctx := errgroup.WithContext(ctx)
	s.readBoundary(gctx, c, spec, g)
	err := g.Wait()
	if errors.Is(err, kube.ErrNotServed) {
		return Report{}, nil
	}
	if err != nil {
		return Report{}, fmt.Errorf("preflight: %w", err)
	}
	k := &checker{spec: spec, snap: s, options: Options{Inventory: inv}}
	k.elsewhere()
	k.unlisted()
	return k.report, nil
}

// facts lists the Services of consuming namespaces that others own.
func facts(s *snapshot, spec api.Spec) render.Facts {
	out := render.Facts{Services: map[render.Name]render.ServiceFact{}}
	for _, c := range spec.Consumptions {
		name := render.Name{Namespace: c.Namespace, Name: c.Spec.Service.Name}
		if svc := s.services[name]; svc != nil && !render.Placeholder(svc) {
			out.Services[name] = render.ServiceFact{Ports: len(ports(svc))}
		}
	}
	return out
}

type checker struct {
	options Options

	spec   api.Spec
	snap   *snapshot
	report Report
}

func (k *checker) problem(subject, reason, fix string) {
	k.problemOf(api.Key{}, subject, reason, fix)
}

func (k *checker) problemOf(by api.Key, subject, reason, fix string) {
	k.report.Problems = append(k.report.Problems, Problem{Subject: subject, Reason: reason, Fix: fix, By: by})
}

func (k *checker) conflict(o *unstructured.Unstructured, reason string) {
	k.conflictOf(api.Key{}, o, reason)
}

func (k *checker) conflictOf(by api.Key, o *unstructured.Unstructured, reason string) {
	k.report.Conflicts = append(k.report.Conflicts,
		Conflict{ConflictError: &kube.ConflictError{Object: kube.RefOf(o), Reason: reason}, By: by})
}

// foreign says whether somebody else made the object.
func (k *checker) foreign(o *unstructured.Unstructured) bool {
	return !render.Owned(o, k.spec.Mesh.Name)
}
