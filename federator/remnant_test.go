package federator

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/render"
)

const ratingsGrant = "federation-expose-bookinfo-ratings"

// relabel is what a person does with kubectl label --overwrite.
func relabel(c *kubefake.Cluster, ref kube.Ref) {
	c.Seize("kubectl-label", &unstructured.Unstructured{Object: map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind,
		"metadata": map[string]any{"name": ref.Name, "namespace": ref.Namespace,
			"labels": map[string]any{"app.kubernetes.io/managed-by": "Helm"}}}})
}

// replace is what a person does who deletes an object and makes a copy of it.
func replace(t *testing.T, c *kubefake.Cluster, kind, name string) {
	t.Helper()
	o := get(t, c, kind, gateways, name)
	gone, err := c.Delete(t.Context(), kube.RefOf(o), o.GetUID())
	require.NoError(t, err)
	require.True(t, gone)
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	_, err = c.ApplyAs("kubectl", o, false)
	require.NoError(t, err)
}

// Whoever can set a label must not be able to keep a grant alive by it: an object
// is known by its UID.
func TestAChangedLabelKeepsNothingInForce(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	converge(t, e, spec)
	for ref := range c.Refs() {
		if !before[ref] && ref.Name != inventory.Name {
			relabel(c, ref)
		}
	}
	nothing := spec
	nothing.Exposures = nil
	got := converge(t, e, nothing)
	assert.Empty(t, got.Left)
	assert.Empty(t, refused(got))
	assert.Equal(t, before, c.Refs())
}

// A label taken off is put back: it is no reason to leave a grant as wide as it was.
func TestALabelTakenOffDoesNotKeepAGrantWide(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	grant := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	labels := grant.GetLabels()
	delete(labels, "app.kubernetes.io/managed-by")
	grant.SetLabels(labels)
	_, err := c.Put(t.Context(), grant)
	require.NoError(t, err)

	converge(t, e, withoutC3(spec))
	rules, _, _ := unstructured.NestedSlice(get(t, c, "AuthorizationPolicy", gateways, ratingsGrant).Object, "spec", "rules")
	assert.Len(t, rules, 1)
	assert.Empty(t, refused(converge(t, e, withoutC3(spec))), "the label is back")
}

// withoutC3 takes the second consumer out of the ratings.
func withoutC3(s Spec) Spec {
	s.Exposures = append([]api.Exposure{}, s.Exposures...)
	s.Exposures[1].Spec.Consumers = s.Exposures[1].Spec.Consumers[:1]
	return s
}

// A copy of a grant is not ours to delete, and grants what ours did. It is told,
// at the Mesh, for as long as it is there; until then nothing new is let in beside it.
func TestWhatSomebodyHasReplacedIsToldUntilItIsGone(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	converge(t, e, spec)
	replace(t, c, "AuthorizationPolicy", ratingsGrant)

	nothing := spec
	nothing.Exposures = nil
	for range 2 {
		got := converge(t, e, nothing)
		assert.Equal(t, map[string]api.Cause{"Mesh/c2": api.CauseNotWithdrawn}, onlyNew(refused(got)))
		assert.Contains(t, got.Verdicts[spec.Mesh.Key()].Problems[0].Reason, ratingsGrant)
		require.Len(t, got.Left, 1)
		assertCovered(t, c, before)
	}
	c.Writes()
	assert.Zero(t, converge(t, e, nothing).Writes, "what stands is told without a write")

	status, err := e.Status(t.Context(), nothing)
	require.NoError(t, err)
	assert.False(t, status.InSync)
	assert.Len(t, status.Problems, 1)

	wider := converge(t, e, mustSelect(t, spec, "Exposure/bookinfo/reviews-v2"))
	assert.Equal(t, api.CauseNotWithdrawn, refused(wider)["Exposure/bookinfo/reviews-v2"])
	assert.Nil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-reviews-v2-40832250"))

	copied := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	_, err = c.Delete(t.Context(), kube.RefOf(copied), copied.GetUID())
	require.NoError(t, err)
	assert.Empty(t, refused(converge(t, e, nothing)))
	assert.Equal(t, before, c.Refs())
}

// overtaken is a cluster in which somebody is faster: what meanwhile does comes
// between the look at an object and its deletion.
type overtaken struct {
	kube.Client
	object    string
	meanwhile func()
}

func (o *overtaken) Delete(ctx context.Context, ref kube.Ref, uid types.UID) (bool, error) {
	if do := o.meanwhile; do != nil && ref.Kind+" "+ref.Name == o.object {
		o.meanwhile = nil
		do()
	}
	return o.Client.Delete(ctx, ref, uid)
}

// That an object is another one by the time of its deletion is no deletion: the
// copy is told as any other is, by the very look that met it.
func TestWhatIsReplacedWhileItIsDeletedIsNotForgotten(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	converge(t, e, spec)
	nothing := spec
	nothing.Exposures = nil
	late, err := newEngine(&overtaken{Client: c, object: "AuthorizationPolicy " + ratingsGrant,
		meanwhile: func() { replace(t, c, "AuthorizationPolicy", ratingsGrant) }})
	require.NoError(t, err)

	got, err := late.Converge(t.Context(), gateways, nothing)
	require.ErrorContains(t, err, "run again", "this is to be looked at again soon")
	for range 2 {
		assert.Equal(t, map[string]api.Cause{"Mesh/c2": api.CauseNotWithdrawn}, onlyNew(refused(got)))
		assert.Contains(t, got.Verdicts[spec.Mesh.Key()].Problems[0].Reason, ratingsGrant)
		assert.Len(t, got.InForce.Exposures, 1)
		assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant), "the other withdrawal is made")
		assertCovered(t, c, before)
		got = converge(t, late, nothing)
	}
	copied := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	_, err = c.Delete(t.Context(), kube.RefOf(copied), copied.GetUID())
	require.NoError(t, err)
	assert.Empty(t, refused(converge(t, late, nothing)))
	assert.Equal(t, before, c.Refs())
}

// An apply says so, too, and does not call itself finished.
func TestAnApplyDoesNotForgetWhatIsReplacedWhileItIsDeleted(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	late, err := newEngine(&overtaken{Client: c, object: "AuthorizationPolicy " + ratingsGrant,
		meanwhile: func() { replace(t, c, "AuthorizationPolicy", ratingsGrant) }})
	require.NoError(t, err)
	nothing := spec
	nothing.Exposures = nil
	_, err = late.Apply(t.Context(), nothing)
	require.ErrorContains(t, err, ratingsGrant)
	assertCovered(t, c, before)
	got, err := late.Apply(t.Context(), nothing)
	require.NoError(t, err)
	assert.Equal(t, []kube.Ref{kube.RefOf(get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))}, got.Left)
	assertCovered(t, c, before)
}

// A finalizer keeps an object that was deleted, and what it says is still carried
// out: it is not forgotten, and told by whom it is kept.
func TestWhatAFinalizerKeepsIsNotForgotten(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	converge(t, e, spec)
	grant := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	grant.SetFinalizers([]string{"example.com/keep"})
	_, err := c.Put(t.Context(), grant)
	require.NoError(t, err)

	nothing := spec
	nothing.Exposures = nil
	got, err := e.Converge(t.Context(), gateways, nothing)
	require.ErrorContains(t, err, "example.com/keep", "it may be let go soon: this is to be tried again")
	for range 2 {
		assert.Equal(t, map[string]api.Cause{"Mesh/c2": api.CauseNotWithdrawn}, onlyNew(refused(got)))
		assert.Contains(t, got.Verdicts[spec.Mesh.Key()].Problems[0].Reason, "example.com/keep")
		assert.Len(t, got.InForce.Exposures, 1)
		assertCovered(t, c, before)
		got = converge(t, e, nothing)
	}
	_, err = e.Cancel(t.Context(), spec, keptBy(inventory.KeeperController))
	require.ErrorContains(t, err, "example.com/keep")

	grant = get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	grant.SetFinalizers(nil)
	_, err = c.Put(t.Context(), grant)
	require.NoError(t, err)
	_, err = c.Delete(t.Context(), kube.RefOf(grant), grant.GetUID())
	require.NoError(t, err)
	assert.Empty(t, refused(converge(t, e, nothing)))
	assert.Equal(t, before, c.Refs())
}

// By the command line, too, what a finalizer keeps stands in nobody's way but in
// that of what is new, and every command says by whom it is kept.
func TestWhatAFinalizerKeepsHoldsUpNoWithdrawalOfAnApply(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	grant := get(t, c, "AuthorizationPolicy", gateways, reviewsGrant)
	grant.SetFinalizers([]string{"example.com/keep"})
	_, err = c.Put(t.Context(), grant)
	require.NoError(t, err)
	next, last := spec, spec
	next.Exposures = spec.Exposures[1:]
	_, err = e.Apply(t.Context(), next)
	require.ErrorContains(t, err, "example.com/keep")

	heir := spec.Exposures[0]
	heir.Name = "heir"
	last.Exposures = []api.Exposure{heir}
	for range 2 {
		_, err = e.Apply(t.Context(), last)
		require.ErrorContains(t, err, "example.com/keep")
		assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant), "withdrawn")
		assert.Nil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-heir"), "not beside the one that has its path")
		assertCovered(t, c, before)

		status, err := e.Status(t.Context(), last)
		require.NoError(t, err)
		assert.False(t, status.InSync)
		require.Len(t, status.Problems, 1)
		assert.Contains(t, status.Problems[0], "example.com/keep")
		p, err := e.Plan(t.Context(), last)
		require.NoError(t, err)
		require.Len(t, p.Conflicts, 1)
		assert.Contains(t, p.Conflicts[0].Reason, "example.com/keep")
		d, err := e.Diff(t.Context(), last)
		require.NoError(t, err)
		assert.Equal(t, p.Conflicts, d.Conflicts)
	}

	grant = get(t, c, "AuthorizationPolicy", gateways, reviewsGrant)
	grant.SetFinalizers(nil)
	_, err = c.Put(t.Context(), grant)
	require.NoError(t, err)
	_, err = c.Delete(t.Context(), kube.RefOf(grant), grant.GetUID())
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), last)
	require.NoError(t, err)
	assert.NotNil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-heir"))
	status, err := e.Status(t.Context(), last)
	require.NoError(t, err)
	assert.True(t, status.InSync)
	assert.Empty(t, status.Problems)
}

// Without a Mesh there is nobody to tell; that something is left is remembered all
// the same, and does not bar the next mesh.
func TestWhatIsLeftOfAMeshOutlivesIt(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	converge(t, e, spec)
	replace(t, c, "AuthorizationPolicy", ratingsGrant)
	for range 2 {
		require.Len(t, converge(t, e, Spec{}).Left, 1)
		assertCovered(t, c, before)
	}
	next := spec
	next.Mesh.Name, next.Exposures = "renamed", nil
	got := converge(t, e, next)
	assert.Equal(t, map[string]api.Cause{"Mesh/renamed": api.CauseNotWithdrawn}, onlyNew(refused(got)))
	assertCovered(t, c, before)

	copied := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	_, err := c.Delete(t.Context(), kube.RefOf(copied), copied.GetUID())
	require.NoError(t, err)
	converge(t, e, Spec{})
	assert.Equal(t, before, c.Refs())
}

// A placeholder holds a name until a Service of the owner has it: that one stays,
// and is no problem of anybody's.
func TestAPlaceholderThatItsOwnerTakesOverStays(t *testing.T) {
	c, e, spec := setup(t, "c1")
	converge(t, e, spec)
	placeholder := get(t, c, "Service", "default", "ratings")
	relabel(c, kube.RefOf(placeholder))
	nothing := spec
	nothing.Consumptions = nil
	got := converge(t, e, nothing)
	assert.Empty(t, refused(got))
	assert.NotNil(t, get(t, c, "Service", "default", "ratings"))
	assert.Nil(t, get(t, c, "ConfigMap", gateways, inventory.Name))
}

// Whoever applies a Service of their own over a placeholder keeps our labels on it,
// and the UID. It serves somebody now: it is theirs, may be routed to, and outlives
// the consumption.
func TestAServiceAppliedOverAPlaceholderIsItsOwners(t *testing.T) {
	for name, service := range map[string]string{
		"with pods":     "selector: {app: ratings}",
		"led elsewhere": "type: ExternalName, externalName: ratings.example.com",
	} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c1")
			before := c.Refs()
			converge(t, e, spec)
			placeholder := get(t, c, "Service", "default", "ratings")
			// kubectl's own merge asks nobody; whoever applies on the server forces it.
			c.Seize("kubectl", objects(t, "{apiVersion: v1, kind: Service, metadata: {name: ratings, namespace: default}, spec: {"+service+"}}")[0])
			taken := get(t, c, "Service", "default", "ratings")
			require.Equal(t, placeholder.GetUID(), taken.GetUID())
			require.True(t, render.Owned(taken, "c1"))

			got := converge(t, e, spec)
			assert.Equal(t, []kube.Ref{kube.RefOf(taken)}, got.Left)
			assert.Zero(t, converge(t, e, spec).Writes, "it is forgotten once")
			nothing := spec
			nothing.Consumptions = nil
			assert.Empty(t, refused(converge(t, e, nothing)))
			converge(t, e, Spec{})
			before[kube.RefOf(taken)] = true
			assert.Equal(t, before, c.Refs())
			assert.Equal(t, taken, get(t, c, "Service", "default", "ratings"))
		})
	}
}

func TestARouteMayStayAtAServiceThatWasAPlaceholder(t *testing.T) {
	c, e, spec := setup(t, "c1")
	converge(t, e, spec)
	spec.Consumptions = slices.Clone(spec.Consumptions)
	spec.Consumptions[1].Spec.Routes = []api.Route{{To: []api.Destination{{Target: api.TargetLocal, Weight: 100}}}}
	local := spec.Consumptions[1].Key().String()
	assert.Equal(t, map[string]api.Cause{local: api.CauseClusterNotReady}, refused(converge(t, e, spec)), "a placeholder serves nothing")

	_, err := c.ApplyAs("kubectl", objects(t, "{apiVersion: v1, kind: Service, metadata: {name: ratings, namespace: default}, spec: {selector: {app: ratings}}}")[0], false)
	require.NoError(t, err)
	assert.Empty(t, refused(converge(t, e, spec)))
}

// A placeholder that waits for what is left of a mesh outlives the name of the
// mesh: it is not taken for its owner's Service, and goes when nothing holds it.
func TestAPlaceholderThatWaitsOutlivesItsMesh(t *testing.T) {
	for name, consumed := range map[string]bool{"no longer consumed": false, "consumed under the new name": true} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c1")
			before := c.Refs()
			converge(t, e, spec)
			replace(t, c, "AuthorizationPolicy", "federation-consume-default-ratings")
			next := spec
			next.Mesh.Name = "renamed"
			if !consumed {
				next.Consumptions = nil
			}
			for range 2 {
				got := converge(t, e, next)
				assert.Equal(t, api.CauseNotWithdrawn, refused(got)["Mesh/renamed"])
				assertCovered(t, c, before)
			}

			copied := get(t, c, "AuthorizationPolicy", gateways, "federation-consume-default-ratings")
			_, err := c.Delete(t.Context(), kube.RefOf(copied), copied.GetUID())
			require.NoError(t, err)
			converge(t, e, next) // what waited goes first: it has the names that are wanted
			assert.Empty(t, refused(converge(t, e, next)))
			assertCovered(t, c, before)
			assert.Equal(t, consumed, get(t, c, "Service", "default", "ratings") != nil)
			assert.Zero(t, converge(t, e, next).Writes)
			converge(t, e, Spec{})
			assert.Equal(t, before, c.Refs())
		})
	}
}
