package federator

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// changed is another wish of the same mesh: something goes, something comes, and
// something that stays is altered.
func changed(t *testing.T, name string, spec Spec) Spec {
	t.Helper()
	out := spec
	if name == "c1" {
		out.Consumptions = slices.Clone(spec.Consumptions[:1])
		out.Consumptions[0].Spec.Routes = []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 50}, {Target: api.TargetLocal, Subset: "v1", Weight: 50}}}}
		more := spec.Consumptions[1]
		more.Name, more.Spec.Service.Name = "scores", "scores"
		out.Consumptions = append(out.Consumptions, more)
		return out
	}
	out.Exposures = slices.Clone(spec.Exposures[1:])
	out.Exposures[0].Spec.Path = "/bookinfo/scores/"
	out.Exposures[0].Spec.Consumers = out.Exposures[0].Spec.Consumers[:1]
	more := spec.Exposures[0]
	more.Name, more.Spec.Path, more.Spec.Service.Subset = "reviews-v3", "/bookinfo/myreviews/v3/", "v3"
	out.Exposures = append(out.Exposures, more)
	return out
}

// life is one run of the engine that a crash can meet.
type life struct {
	name string
	// before brings the cluster where the run starts from; nil: untouched.
	before func(context.Context, *Engine, Spec) error
	run    func(ctx context.Context, e *Engine, spec, other Spec) error
}

func lives() []life {
	apply := func(ctx context.Context, e *Engine, spec Spec) error { _, err := e.Apply(ctx, spec); return err }
	converge := func(ctx context.Context, e *Engine, spec Spec) error {
		_, err := e.Converge(ctx, gateways, spec)
		return err
	}
	return []life{
		{"the first apply", nil, func(ctx context.Context, e *Engine, spec, _ Spec) error { return apply(ctx, e, spec) }},
		{"an update", apply, func(ctx context.Context, e *Engine, _, other Spec) error { return apply(ctx, e, other) }},
		{"the cancel of everything", apply, func(ctx context.Context, e *Engine, spec, _ Spec) error { _, err := e.Cancel(ctx, spec); return err }},
		{"the cancel of one", apply, func(ctx context.Context, e *Engine, spec, _ Spec) error {
			one := spec
			if len(one.Exposures) > 0 {
				one.Exposures = one.Exposures[:1]
			}
			if len(one.Consumptions) > 0 {
				one.Consumptions = one.Consumptions[:1]
			}
			_, err := e.Cancel(ctx, one)
			return err
		}},
		{"two that swap their paths",
			func(ctx context.Context, e *Engine, spec Spec) error { return apply(ctx, e, apart(spec)) },
			func(ctx context.Context, e *Engine, spec, _ Spec) error { return apply(ctx, e, swapped(apart(spec))) }},
		{"one that becomes another service for another peer",
			func(ctx context.Context, e *Engine, spec Spec) error { return apply(ctx, e, first(apart(spec))) },
			func(ctx context.Context, e *Engine, spec, _ Spec) error {
				return apply(ctx, e, retargeted(apart(spec)))
			}},
		{"one that takes the path of another, which goes",
			func(ctx context.Context, e *Engine, spec Spec) error { return apply(ctx, e, apart(spec)) },
			func(ctx context.Context, e *Engine, spec, _ Spec) error {
				return apply(ctx, e, first(swapped(apart(spec))))
			}},
		{"a gateway of other pods", apply, func(ctx context.Context, e *Engine, spec, _ Spec) error { return apply(ctx, e, podsOfOthers(spec)) }},
		{"the controller's first look", nil, func(ctx context.Context, e *Engine, spec, _ Spec) error { return converge(ctx, e, spec) }},
		{"the controller after a change", converge, func(ctx context.Context, e *Engine, _, other Spec) error { return converge(ctx, e, other) }},
		{"the controller after the last deletion", converge, func(ctx context.Context, e *Engine, _, _ Spec) error { return converge(ctx, e, Spec{}) }},
	}
}

// After a crash at any write of any run, everything beyond the owners' objects is
// in the inventory, and the next run reaches the very objects that it would have
// reached without the crash. At no write is anything granted that neither the wish
// before nor the new one grants. Every run is walked through to its last write.
func TestACrashAtAnyWriteOfAnyRunConverges(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		for _, l := range lives() {
			t.Run(name+"/"+l.name, func(t *testing.T) {
				c, e, spec, other := l.start(t, name)
				require.NoError(t, l.run(t.Context(), e, spec, other))
				total, want, after := len(c.Writes()), contents(t, c), reach(t, c)
				require.Greater(t, total, 3, "too few writes to be a walk")
				for n := range total {
					l.crash(t, name, n, want, after)
				}
			})
		}
	}
}

func (l life) start(t *testing.T, name string) (*kubefake.Cluster, *Engine, Spec, Spec) {
	t.Helper()
	c, e, spec := setup(t, name)
	if l.before != nil {
		require.NoError(t, l.before(t.Context(), e, spec))
	}
	c.Writes()
	return c, e, spec, changed(t, name, spec)
}

func (l life) crash(t *testing.T, name string, n int, want map[kube.Ref]string, after ways) {
	t.Helper()
	owners, _, _ := setup(t, name)
	c, e, spec, other := l.start(t, name)
	before := reach(t, c)
	c.FailAfter(n)
	require.ErrorIs(t, l.run(t.Context(), e, spec, other), kubefake.ErrCrash, "after %d writes", n)
	for way := range reach(t, c) {
		assert.True(t, before.has(way) || after.has(way), "after a crash at write %d %s is granted, by neither the wish before nor this one", n, way)
	}
	assert.Len(t, c.Writes(), n)
	c.FailAfter(-1)
	assertCovered(t, c, owners.Refs())

	require.NoError(t, l.run(t.Context(), e, spec, other), "after a crash at write %d", n)
	assert.Equal(t, want, contents(t, c), "after a crash at write %d", n)
	c.Writes()
	require.NoError(t, l.run(t.Context(), e, spec, other))
	assert.Empty(t, c.Writes(), "after a crash at write %d and one run the next has nothing to do", n)
}

// Whoever gives up after a crash, and cancels, leaves no trace.
func TestACancelAfterACrashAtAnyWriteLeavesNoTrace(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		for _, l := range lives()[:2] {
			c, e, spec, other := l.start(t, name)
			require.NoError(t, l.run(t.Context(), e, spec, other))
			for n := range len(c.Writes()) {
				c, e, spec, other := l.start(t, name)
				owners, _, _ := setup(t, name)
				c.FailAfter(n)
				require.ErrorIs(t, l.run(t.Context(), e, spec, other), kubefake.ErrCrash)
				c.FailAfter(-1)
				both := spec
				both.Exposures = slices.Concat(spec.Exposures, other.Exposures)
				both.Consumptions = slices.Concat(spec.Consumptions, other.Consumptions)
				_, err := e.Cancel(t.Context(), both)
				require.NoError(t, err)
				assert.Equal(t, owners.Refs(), c.Refs(), "%s, %s: after a crash at write %d", name, l.name, n)
			}
		}
	}
}

// contents is what all objects say, without what the API server numbers.
func contents(t *testing.T, c *kubefake.Cluster) map[kube.Ref]string {
	t.Helper()
	out := map[kube.Ref]string{}
	for ref := range c.Refs() {
		o, err := c.Get(t.Context(), ref)
		require.NoError(t, err)
		if ref.Name == inventory.Name {
			out[ref] = "the inventory; its UIDs are other ones each time"
			continue
		}
		raw, err := json.Marshal([]any{o.GetLabels(), o.GetAnnotations(), o.Object["spec"], o.Object["data"]})
		require.NoError(t, err)
		out[ref] = string(raw)
	}
	return out
}

// assertCovered proves the invariant behind convergence: whatever exists beyond
// the owners' objects is listed in the inventory.
func assertCovered(t *testing.T, c *kubefake.Cluster, owners map[kube.Ref]bool) {
	t.Helper()
	inv, err := inventory.Load(context.Background(), c, gateways, meshOf(t, c))
	require.NoError(t, err)
	for ref := range c.Refs() {
		if owners[ref] || ref.Name == inventory.Name {
			continue
		}
		require.NotNil(t, inv)
		assert.True(t, slices.ContainsFunc(inv.Items, func(i inventory.Item) bool { return i.Ref == ref }), "%s is an orphan", ref)
	}
}

func meshOf(t *testing.T, c kube.Client) string {
	t.Helper()
	if o := get(t, c, "ConfigMap", gateways, inventory.Name); o != nil {
		return o.GetLabels()[render.LabelMesh]
	}
	return ""
}
