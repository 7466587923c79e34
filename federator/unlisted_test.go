package federator

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

// remove is what a person does with kubectl delete.
func remove(t *testing.T, c *kubefake.Cluster, kind, namespace, name string) {
	t.Helper()
	o := get(t, c, kind, namespace, name)
	require.NotNil(t, o)
	_, err := c.Delete(t.Context(), kube.RefOf(o), o.GetUID())
	require.NoError(t, err)
}

// told are the problems of the Mesh.
func told(c Convergence, s Spec) []string {
	problems := c.Verdicts[s.Mesh.Key()].Problems
	out := make([]string, len(problems))
	for i, p := range problems {
		out[i] = p.Reason
	}
	return out
}

// Who deletes the inventory and then a declaration leaves a grant that nothing
// withdraws any more. It is told until it is gone, what is declared stays as it
// stands, and nothing is let in beside it.
func TestWhatNoInventoryListsIsTold(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	remove(t, c, "ConfigMap", gateways, inventory.Name)
	c.Writes()
	rest := mustSelect(t, spec, "Exposure/bookinfo/reviews-v2")
	for range 2 {
		got := converge(t, e, rest)
		assert.Equal(t, api.CauseNotWithdrawn, refused(got)["Mesh/c2"])
		assert.Equal(t, api.CauseNotWithdrawn, refused(got)["Exposure/bookinfo/reviews-v2"])
		require.Len(t, told(got, spec), 2, "the route and the grant, and nothing that is declared")
		for _, reason := range told(got, spec) {
			assert.Contains(t, reason, ratingsGrant)
		}
	}
	var conflict *ConflictError
	for command, run := range map[string]func() error{
		"apply":  func() error { _, err := e.Apply(t.Context(), rest); return err },
		"plan":   func() error { _, err := e.Plan(t.Context(), rest); return err },
		"cancel": func() error { _, err := e.Cancel(t.Context(), rest); return err },
	} {
		err := run()
		require.ErrorAs(t, err, &conflict, command)
		assert.ErrorContains(t, err, ratingsGrant, command)
	}
	status, err := e.Status(t.Context(), rest)
	require.NoError(t, err)
	assert.False(t, status.InSync)
	require.Len(t, status.Problems, 2)
	assert.Contains(t, status.Problems[0], ratingsGrant)
	diff, err := e.Diff(t.Context(), rest)
	require.NoError(t, err)
	require.Len(t, diff.Conflicts, 2)
	assert.Empty(t, c.Writes(), "labels alone delete nothing")

	remove(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	remove(t, c, "VirtualService", gateways, ratingsGrant)
	assert.Empty(t, onlyNew(refused(converge(t, e, rest))))
	owners, _, _ := setup(t, "c2")
	assertCovered(t, c, owners.Refs())
}

// With the last declaration goes the reason to look at a gateway, and not what is
// left there.
func TestWhatNoInventoryListsIsToldWhenNothingIsDeclared(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		c, e, spec := setup(t, name)
		before := c.Refs()
		converge(t, e, spec)
		remove(t, c, "ConfigMap", gateways, inventory.Name)
		nothing := spec
		nothing.Exposures, nothing.Consumptions = nil, nil
		reasons := strings.Join(told(converge(t, e, nothing), spec), "\n")
		for ref := range c.Refs() {
			if !before[ref] && (ref.Kind == "AuthorizationPolicy" || ref.Kind == "VirtualService" || ref.Kind == "Gateway") {
				assert.Contains(t, reasons, ref.String())
			}
		}
		_, err := e.Cancel(t.Context(), spec)
		require.ErrorContains(t, err, "AuthorizationPolicy", "nothing is cancelled, and that is said")
		_, err = e.Apply(t.Context(), spec)
		require.NoError(t, err, "who declares it again takes it over")
		_, err = e.Cancel(t.Context(), spec)
		require.NoError(t, err)
		assert.Equal(t, before, c.Refs())
	}
}

// A leader that was frozen wakes up and writes what its successor has withdrawn.
func TestWhatALateWriterBringsBackIsTold(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	late := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	rest := mustSelect(t, spec, "Exposure/bookinfo/reviews-v2")
	require.Empty(t, refused(converge(t, e, rest)))
	late.SetManagedFields(nil)
	late.SetResourceVersion("")
	_, err := c.Apply(t.Context(), late, false)
	require.NoError(t, err)
	c.Writes()

	got := converge(t, e, rest)
	assert.Equal(t, map[string]api.Cause{"Mesh/c2": api.CauseNotWithdrawn}, refused(got))
	assert.Len(t, got.InForce.Exposures, 1)
	assert.Empty(t, c.Writes())
	_, err = e.Cancel(t.Context(), rest, keptBy(inventory.KeeperController))
	require.ErrorContains(t, err, ratingsGrant)
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant), "what can be withdrawn is")
}

// While the inventory is lost, what one declaration has left is told, and not that
// which the others would take over if they might.
func TestARefusedDeclarationOfALostInventoryIsTheOnlyOneTold(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	remove(t, c, "ConfigMap", gateways, inventory.Name)
	service := get(t, c, "Service", "bookinfo", "ratings")
	remove(t, c, "Service", "bookinfo", "ratings")
	c.Writes()
	for range 2 {
		got := converge(t, e, spec)
		require.Len(t, told(got, spec), 2)
		assert.Contains(t, told(got, spec)[0], ratingsGrant)
		assert.Contains(t, told(got, spec)[1], ratingsGrant)
		assert.Empty(t, c.Writes())
	}
	service.SetResourceVersion("")
	_, err := c.Put(t.Context(), service)
	require.NoError(t, err)
	assert.Empty(t, refused(converge(t, e, spec)))
}

// What has to wait for its rehearsal is declared all the same: nobody is told to delete
// a grant that is in use.
func TestWhatWaitsForItsRehearsalIsNoOrphanOfALostInventory(t *testing.T) {
	c, u, e, spec := unrehearsable(t, "AuthorizationPolicy "+ratingsGrant, webhookAway())
	remove(t, c, "ConfigMap", gateways, inventory.Name)
	for range 2 {
		got, err := e.Converge(t.Context(), gateways, spec)
		require.ErrorContains(t, err, "failed calling webhook")
		for key, verdict := range got.Verdicts {
			for _, p := range verdict.Problems {
				assert.NotContains(t, p.Reason, "delete it", key)
			}
		}
	}
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
	u.err = nil
	assert.Empty(t, refused(converge(t, e, spec)))
	assert.Equal(t, []string{"c1", "c3"}, consumers(applied(t, c), "ratings"))
}

// HAPPY PATHS: what is somebody else's, or listed in whatever form, is no orphan.
func TestWhatIsListedOrAnotherMeshsIsNotTold(t *testing.T) {
	cases := map[string]func(*testing.T, *kubefake.Cluster){
		"the inventory of an earlier version": func(t *testing.T, c *kubefake.Cluster) {
			o := get(t, c, "ConfigMap", gateways, inventory.Name)
			inv, err := inventory.Recall(t.Context(), c, gateways)
			require.NoError(t, err)
			raw, err := json.Marshal(inv)
			require.NoError(t, err)
			delete(o.Object, "binaryData")
			o.Object["data"] = map[string]any{"inventory.json": string(raw)}
			_, err = c.Put(t.Context(), o)
			require.NoError(t, err)
		},
		"another mesh's objects": func(t *testing.T, c *kubefake.Cluster) {
			for _, text := range []string{
				"{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, spec: {selector: {matchLabels: {istio: other}}, rules: [{}]}}",
				"{apiVersion: networking.istio.io/v1, kind: VirtualService, spec: {hosts: [theirs]}}",
				"{apiVersion: networking.istio.io/v1, kind: Gateway, spec: {selector: {istio: other}}}",
			} {
				o := objects(t, text)[0]
				o.SetNamespace(gateways)
				o.SetName("federation-theirs")
				o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "federator", "federation.meshfed.io/mesh": "other"})
				_, err := c.Put(t.Context(), o)
				require.NoError(t, err)
			}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			_, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			change(t, c)
			status, err := e.Status(t.Context(), spec)
			require.NoError(t, err)
			assert.Empty(t, status.Problems)
			c.Writes()
			_, err = e.Apply(t.Context(), spec)
			require.NoError(t, err)
			assert.Empty(t, c.Writes())
			assert.Empty(t, refused(converge(t, e, spec)))
		})
	}
}

// meanwhile lets somebody act before policies are listed, once.
type meanwhile struct {
	kube.Client
	act func()
}

func (m *meanwhile) List(ctx context.Context, apiVersion, kind, namespace string) ([]unstructured.Unstructured, error) {
	if do := m.act; do != nil && kind == "AuthorizationPolicy" {
		m.act = nil
		do()
	}
	return m.Client.List(ctx, apiVersion, kind, namespace)
}

// What another engine makes while this one looks is in the inventory by then.
func TestWhatIsAnnouncedDuringTheLookIsNotTold(t *testing.T) {
	c, e, spec := setup(t, "c2")
	some := mustSelect(t, spec, "Exposure/bookinfo/reviews-v2")
	_, err := e.Apply(t.Context(), some)
	require.NoError(t, err)
	looking, err := newEngine(&meanwhile{Client: c, act: func() {
		_, err := e.Apply(t.Context(), spec)
		assert.NoError(t, err)
	}})
	require.NoError(t, err)
	status, err := looking.Status(t.Context(), some)
	require.NoError(t, err)
	assert.Empty(t, status.Problems)
}

// Nobody declares the mesh of before any more, so nobody can be told: what of it no
// inventory lists is named once, and bars the next mesh as little as what is left of it.
func TestWhatNoInventoryListsBarsNoOtherMesh(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	cloaked := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	cloaked.SetName("cloaked")
	cloaked.SetManagedFields(nil)
	cloaked.SetResourceVersion("")
	_, err := c.ApplyAs("kubectl", cloaked, false)
	require.NoError(t, err)
	replace(t, c, "AuthorizationPolicy", ratingsGrant)

	gone := converge(t, e, Spec{})
	assert.Contains(t, gone.Left, kube.RefOf(cloaked))
	assert.Contains(t, gone.Left, kube.RefOf(get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)))
	next := spec
	next.Mesh.Name, next.Exposures = "renamed", nil
	for range 2 {
		assert.Equal(t, api.CauseNotWithdrawn, refused(converge(t, e, next))["Mesh/renamed"])
	}
	remove(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
	next.Exposures = spec.Exposures
	converge(t, e, next) // what waited goes first
	assert.Equal(t, api.CauseConflict, refused(converge(t, e, next))["Exposure/bookinfo/ratings"], "to that mesh it is any other owner's policy")
	remove(t, c, "AuthorizationPolicy", gateways, "cloaked")
	assert.Empty(t, refused(converge(t, e, next)))
}
