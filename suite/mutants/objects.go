package mutants

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/mutation"
)

// objectsFault is the project's own engine, whose objects are not what they
// should be.
type objectsFault struct {
	mutation mutation.Mutation

	mu sync.Mutex
	// engines of the clusters, by name: some mutations remember what they saw.
	engines map[string]builtin.Engine
	// changed says whether the last rendering for a cluster was faulty.
	changed map[string]bool
	inForce bool
	refused error

	// inspecting has verify look at what was applied; found is what it found,
	// and blind why it could not look.
	inspecting bool
	found      []federator.FindingKind
	blind      error
}

var _ Broken = (*objectsFault)(nil)

func newObjectsFault(m mutation.Mutation) *objectsFault {
	return &objectsFault{mutation: m, engines: map[string]builtin.Engine{}, changed: map[string]bool{}}
}

// Name implements engine.Engine.
func (f *objectsFault) Name() string { return builtin.Name }

// Version implements engine.Engine.
func (f *objectsFault) Version() string { return "" }

// Capabilities implements engine.Engine: it claims them all, which is a lie.
func (f *objectsFault) Capabilities() []engine.Capability { return engine.Capabilities() }

// Apply implements engine.Engine.
func (f *objectsFault) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	err := f.note(c, f.of(c).Apply(ctx, c, declarations))
	if err == nil && f.inspecting && f.faulty(c) {
		f.inspect(ctx, c, declarations)
	}
	return err
}

// Cancel implements engine.Engine.
func (f *objectsFault) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	return f.note(c, f.of(c).Cancel(ctx, c, declarations))
}

// InForce implements Broken.
func (f *objectsFault) InForce() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inForce
}

// Refused implements Broken.
func (f *objectsFault) Refused() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

// Settle implements Broken: nothing goes on after a call.
func (f *objectsFault) Settle(context.Context) error { return nil }

// note keeps what a cluster made of faulty objects.
func (f *objectsFault) note(c cluster.Cluster, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.changed[c.Name()]:
	case err == nil:
		f.inForce = true
	case f.refused == nil:
		f.refused = err
	}
	return err
}

func (f *objectsFault) faulty(c cluster.Cluster) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed[c.Name()]
}

// inspect notes what verify finds of what is in force.
func (f *objectsFault) inspect(ctx context.Context, c cluster.Cluster, declarations string) {
	kinds, err := inspect(ctx, c, declarations, inGateway)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = append(f.found, kinds...)
	slices.Sort(f.found)
	f.found, f.blind = slices.Compact(f.found), errors.Join(f.blind, err)
}

func (f *objectsFault) of(c cluster.Cluster) builtin.Engine {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, is := f.engines[c.Name()]; is {
		return e
	}
	transform := f.mutation.New()
	e := builtin.New("", federator.WithTransform(func(sound []*unstructured.Unstructured) []*unstructured.Unstructured {
		var before []*unstructured.Unstructured
		for _, o := range sound {
			before = append(before, o.DeepCopy())
		}
		after := transform(sound)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed[c.Name()] = len(before)+len(after) > 0 && !reflect.DeepEqual(before, after)
		return after
	}))
	f.engines[c.Name()] = e
	return e
}
