package mutants

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	// refused is why a cluster would not have it, unsure why nobody knows.
	refused, unsure error

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
	err := f.note(ctx, c, f.before(c).Apply(ctx, c, declarations))
	if err == nil && f.inspecting && f.faulty(c) {
		f.inspect(ctx, c, declarations)
	}
	return err
}

// Cancel implements engine.Engine.
func (f *objectsFault) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	return f.note(ctx, c, f.before(c).Cancel(ctx, c, declarations))
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

// Unsure implements Broken.
func (f *objectsFault) Unsure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unsure
}

// Settle implements Broken: nothing goes on after a call.
func (f *objectsFault) Settle(context.Context) error { return nil }

// note keeps what a cluster made of faulty objects. Only the API server's own no
// shows that it does not take them: after any other error some of them may be
// there.
func (f *objectsFault) note(ctx context.Context, c cluster.Cluster, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.changed[c.Name()]:
	case err == nil:
		f.inForce = true
	case ctx.Err() == nil && refusal(err):
		f.refused = cmp.Or(f.refused, err)
	default:
		f.unsure = cmp.Or(f.unsure, err)
	}
	return err
}

// untyped is how the API server begins where an object does not fit its type. It
// has no reason of its own for that, and the code of a fault of its own.
const untyped = "failed to create typed patch object"

// refusal says whether the API server answered that it will never take an object
// as it stands: by its schema, its type or a webhook. Forbidden is none, for it is
// about who asks.
func refusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || strings.HasPrefix(status.Status().Message, untyped)
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

// before is the engine of a cluster as a call begins: nothing has been rendered in
// it yet, and a call that fails or ends early may never come to that.
func (f *objectsFault) before(c cluster.Cluster) builtin.Engine {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed[c.Name()] = false
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
