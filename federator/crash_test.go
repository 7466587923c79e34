package federator

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// After a crash at any write, the next run reaches the same cluster, and cancel
// reaches the empty one: no orphan, no duplicate.
func TestACrashBetweenAnyTwoWritesConverges(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, name)
			total, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			want := c.Refs()
			for n := range total.Writes {
				crash(t, name, n, want)
			}
		})
	}
}

func crash(t *testing.T, name string, n int, want map[kube.Ref]bool) {
	t.Helper()
	c, e, spec := setup(t, name)
	before := c.Refs()
	c.FailAfter(n)
	_, err := e.Apply(t.Context(), spec)
	require.ErrorIs(t, err, kubefake.ErrCrash, "after %d writes", n)
	c.FailAfter(-1)
	assertCovered(t, c, before)

	_, err = e.Cancel(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, before, c.Refs(), "cancel after a crash at write %d", n)

	c.FailAfter(n)
	_, err = e.Apply(t.Context(), spec)
	require.Error(t, err)
	c.FailAfter(-1)
	_, err = e.Apply(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, want, c.Refs(), "apply after a crash at write %d", n)
}

// assertCovered proves the invariant behind convergence: whatever exists beyond
// the owners' objects is listed in the inventory.
func assertCovered(t *testing.T, c *kubefake.Cluster, owners map[kube.Ref]bool) {
	t.Helper()
	inv, err := inventory.Load(context.Background(), c, "istio-private-gateways", meshOf(t, c))
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
	if o := get(t, c, "ConfigMap", "istio-private-gateways", inventory.Name); o != nil {
		return o.GetLabels()[render.LabelMesh]
	}
	return ""
}

func TestACrashDuringCancelConverges(t *testing.T) {
	c, e, spec := setup(t, "c1")
	before := c.Refs()
	for n := range 20 {
		_, err := e.Apply(t.Context(), spec)
		require.NoError(t, err)
		c.FailAfter(n)
		_, err = e.Cancel(t.Context(), spec)
		c.FailAfter(-1)
		if err == nil {
			assert.Greater(t, n, 10, "the loop broke every write of the cancel")
			return
		}
		_, err = e.Cancel(t.Context(), spec)
		require.NoError(t, err)
		require.Equal(t, before, c.Refs(), "after a crash at write %d", n)
	}
	t.Fatal("cancel never reached its end")
}
