package federator

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

const gateways = "istio-private-gateways"

func converge(t *testing.T, e *Engine, wish Spec) Convergence {
	t.Helper()
	got, err := e.Converge(t.Context(), gateways, wish)
	require.NoError(t, err)
	return got
}

// refused are the declarations that are not in force as they stand, with the
// cause of the first problem.
func refused(c Convergence) map[string]api.Cause {
	out := map[string]api.Cause{}
	for key, v := range c.Verdicts {
		if len(v.Problems) > 0 {
			out[key.String()] = v.Problems[0].Cause
		}
	}
	return out
}

func TestConvergeDoesWhatApplyDoesAndThenNothing(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, name)
			before := c.Refs()
			first := converge(t, e, spec)
			assert.Empty(t, refused(first))
			assert.Len(t, first.Verdicts, 1+len(spec.Peers)+len(spec.Exposures)+len(spec.Consumptions))
			assert.Equal(t, first.Writes, len(c.Writes()))

			planned, err := e.Plan(t.Context(), spec)
			require.NoError(t, err)
			assert.False(t, planned.HasChanges(), "Apply would find nothing to do after Converge")
			second := converge(t, e, spec)
			assert.Zero(t, second.Writes)
			assert.Empty(t, c.Writes(), "a reconcile without a change writes nothing")

			converge(t, e, Spec{})
			assert.Equal(t, before, c.Refs(), "a wish without a Mesh leaves no trace")
			assert.Zero(t, converge(t, e, Spec{}).Writes)
		})
	}
}

func TestConvergeCarriesOutTheRest(t *testing.T) {
	theirs := func(text string) func(*testing.T, *kubefake.Cluster, *Spec) {
		return func(t *testing.T, c *kubefake.Cluster, _ *Spec) {
			for _, o := range objects(t, text) {
				_, err := c.Put(t.Context(), o)
				require.NoError(t, err)
			}
		}
	}
	cases := map[string]struct {
		change func(*testing.T, *kubefake.Cluster, *Spec)
		want   map[string]api.Cause
	}{
		"two exposures on one path": {
			func(_ *testing.T, _ *kubefake.Cluster, s *Spec) {
				e := s.Exposures[0]
				e.Name = "copy"
				s.Exposures = append(s.Exposures, e)
			},
			map[string]api.Cause{"Exposure/bookinfo/copy": api.CausePathClaimed},
		},
		"a service that is not there": {
			func(_ *testing.T, _ *kubefake.Cluster, s *Spec) { s.Exposures[0].Spec.Service.Name = "absent" },
			map[string]api.Cause{"Exposure/bookinfo/reviews-v2": api.CauseClusterNotReady},
		},
		"an object of another owner": {
			theirs("{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: federation-expose-bookinfo-ratings, namespace: istio-private-gateways}, spec: {hosts: [theirs]}}"),
			map[string]api.Cause{"Exposure/bookinfo/ratings": api.CauseConflict},
		},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			row.change(t, c, &spec)
			c.Writes()
			got := converge(t, e, spec)
			assert.Equal(t, row.want, refused(got))
			assert.Len(t, got.InForce.Exposures, len(spec.Exposures)-1)
			assert.NotZero(t, got.Writes)
			c.Writes()
			assert.Zero(t, converge(t, e, spec).Writes, "the refusal is stable")
			assert.Empty(t, c.Writes())
		})
	}
}

// An ALLOW policy of another owner opens the gateway for everybody: nothing is
// added to such a boundary, and what is withdrawn still goes. Our labels are no cloak.
func TestAWeakenedBoundaryTakesOnlyWithdrawals(t *testing.T) {
	for labels, cause := range map[string]api.Cause{
		"{}": api.CauseConflict,
		"{app.kubernetes.io/managed-by: federator, federation.meshfed.io/mesh: c2, federation.meshfed.io/role: grant}": api.CauseNotWithdrawn,
	} {
		t.Run(string(cause), func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			converge(t, e, mustSelect(t, spec, "Exposure/bookinfo/reviews-v2"))
			policy := objects(t, "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: theirs, namespace: istio-private-gateways, labels: "+labels+"}, spec: {selector: {matchLabels: {istio: private-ingressgateway}}, rules: [{}]}}")[0]
			_, err := c.Put(t.Context(), policy)
			require.NoError(t, err)

			for range 2 {
				got := converge(t, e, spec)
				assert.Equal(t, map[string]api.Cause{"Mesh/c2": cause, "Exposure/bookinfo/ratings": cause}, onlyNew(refused(got)))
				assert.Contains(t, got.Verdicts[spec.Mesh.Key()].Problems[0].Reason, "theirs")
				assert.Nil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-ratings"))
				assert.NotNil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-reviews-v2-40832250"), "what is in force stays")
			}

			nothing := spec
			nothing.Exposures = nil
			converge(t, e, nothing)
			for ref := range c.Refs() {
				assert.NotContains(t, ref.Name, "federation-")
			}
			assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, "theirs"))
		})
	}
}

// While nothing new is let in, a peer that goes takes the service from no other one.
func TestAPeerThatGoesFromAWeakenedBoundaryTakesNothingFromTheOthers(t *testing.T) {
	weakened := map[string]func(*testing.T, *kubefake.Cluster, *Spec){
		"a policy of another owner": func(t *testing.T, c *kubefake.Cluster, _ *Spec) {
			policy := objects(t, "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: theirs, namespace: istio-private-gateways}, spec: {rules: [{}]}}")[0]
			_, err := c.Put(t.Context(), policy)
			require.NoError(t, err)
		},
		"a copy of a withdrawn grant": func(t *testing.T, c *kubefake.Cluster, s *Spec) {
			replace(t, c, "AuthorizationPolicy", reviewsGrant)
			s.Exposures = s.Exposures[1:]
		},
	}
	for name, weaken := range weakened {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			converge(t, e, spec)
			weaken(t, c, &spec)
			spec.Peers = spec.Peers[:1]
			got := converge(t, e, spec)
			for range 2 {
				assert.Equal(t, []string{"c1"}, consumers(got.InForce, "ratings"))
				grant := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
				require.NotNil(t, grant)
				rules, _, _ := unstructured.NestedSlice(grant.Object, "spec", "rules")
				assert.Len(t, rules, 1)
				c.Writes()
				got = converge(t, e, spec)
				assert.Empty(t, c.Writes())
			}
		})
	}
}

func onlyNew(all map[string]api.Cause) map[string]api.Cause {
	delete(all, "Peer/c1")
	delete(all, "Peer/c3")
	return all
}

// A fault of the cluster must not become an outage: what is in force stays.
func TestAServiceThatGoesAwayLeavesItsExposureInForce(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	ref := kube.Ref{APIVersion: "v1", Kind: "Service", Namespace: "bookinfo", Name: "ratings"}
	o, err := c.Get(t.Context(), ref)
	require.NoError(t, err)
	_, err = c.Delete(t.Context(), ref, o.GetUID())
	require.NoError(t, err)
	c.Writes()

	got := converge(t, e, spec)
	assert.Equal(t, map[string]api.Cause{"Exposure/bookinfo/ratings": api.CauseClusterNotReady}, refused(got))
	assert.Empty(t, c.Writes())
	assert.Equal(t, FormWhole, got.Verdicts[keys(t, "Exposure/bookinfo/ratings")[0]].Form)
}

func TestDriftIsMendedAndAnotherOwnersFieldIsNot(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	route := get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-ratings")
	_, err := c.Delete(t.Context(), kube.RefOf(route), route.GetUID())
	require.NoError(t, err)
	listener := get(t, c, "Gateway", gateways, "federation-ingress").DeepCopy()
	seized := &unstructured.Unstructured{Object: map[string]any{"apiVersion": listener.GetAPIVersion(), "kind": listener.GetKind(),
		"metadata": map[string]any{"name": listener.GetName(), "namespace": listener.GetNamespace()},
		"spec":     map[string]any{"selector": map[string]any{"istio": "elsewhere"}}}}
	c.Seize("kubectl", seized)

	got := converge(t, e, spec)
	assert.NotNil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-ratings"), "mended")
	assert.Equal(t, map[string]api.Cause{"Mesh/c2": api.CauseConflict}, refused(got))
	c.Writes()
	assert.Zero(t, converge(t, e, spec).Writes)
}

func TestConvergeGoesOnAfterACrashAtAnyWrite(t *testing.T) {
	c, e, spec := setup(t, "c2")
	total := converge(t, e, spec).Writes
	want := c.Refs()
	for n := range total {
		c, e, spec := setup(t, "c2")
		before := c.Refs()
		c.FailAfter(n)
		_, err := e.Converge(t.Context(), gateways, spec)
		require.ErrorIs(t, err, kubefake.ErrCrash)
		c.FailAfter(-1)
		converge(t, e, spec)
		assert.Equal(t, want, c.Refs(), "after a crash at write %d", n)

		c.FailAfter(n)
		_, _ = e.Converge(t.Context(), gateways, Spec{}) // may need fewer writes than that
		c.FailAfter(-1)
		converge(t, e, Spec{})
		assert.Equal(t, before, c.Refs(), "withdrawn after a crash at write %d", n)
	}
}

func TestAMeshOfAnotherNameReplacesTheOneBefore(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	spec.Mesh.Name = "renamed"
	got := converge(t, e, spec)
	assert.Empty(t, refused(got))
	assert.Equal(t, "renamed", get(t, c, "Gateway", gateways, "federation-ingress").GetLabels()["federation.meshfed.io/mesh"])
}

func TestWhatTheCommandLineAppliedIsTakenOverAndNotWithdrawn(t *testing.T) {
	c, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	c.Writes()
	converge(t, e, Spec{})
	assert.Empty(t, c.Writes(), "a controller that nobody has declared anything to touches nothing")

	assert.Equal(t, 1, converge(t, e, spec).Writes, "only the keeper is written down")
	var conflict *ConflictError
	_, err = e.Apply(t.Context(), spec)
	require.ErrorAs(t, err, &conflict)
	_, err = e.Cancel(t.Context(), spec)
	require.ErrorAs(t, err, &conflict)
	assert.ErrorContains(t, err, "a controller keeps this cluster")
}

// Once the controller is gone nobody else can withdraw what it made. Whoever says
// so may; what is left stays the controller's, which withdraws it if it comes back.
func TestWhatAControllerThatIsGoneMadeCanBeCancelled(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	converge(t, e, spec)
	c.Writes()
	for command, run := range map[string]func() error{
		"cancel": func() error { _, err := e.Cancel(t.Context(), spec); return err },
		"apply":  func() error { _, err := e.Apply(t.Context(), spec); return err },
		"no apply beside it": func() error {
			_, err := e.Apply(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/ratings"), ControllerGone(true))
			return err
		},
	} {
		var conflict *ConflictError
		err := run()
		require.ErrorAs(t, err, &conflict, command)
		assert.ErrorContains(t, err, "federator cancel --controller-gone", command)
	}
	assert.Empty(t, c.Writes())

	_, err := e.Cancel(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/ratings"), ControllerGone(true))
	require.NoError(t, err)
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
	inv, err := inventory.Recall(t.Context(), c, gateways)
	require.NoError(t, err)
	assert.Equal(t, inventory.KeeperController, inv.Keeper)

	_, err = e.Cancel(t.Context(), spec, ControllerGone(true))
	require.NoError(t, err)
	assert.Equal(t, before, c.Refs())
	_, err = e.Apply(t.Context(), spec)
	require.NoError(t, err, "nobody keeps the cluster any more")
}

// A crash of the controller leaves the cluster between two wishes.
func TestWhatAControllerHasNotFinishedCanBeCancelled(t *testing.T) {
	_, e, spec := setup(t, "c2")
	total := converge(t, e, spec).Writes
	for n := range total {
		c, e, spec := setup(t, "c2")
		before := c.Refs()
		c.FailAfter(n)
		_, err := e.Converge(t.Context(), gateways, spec)
		require.ErrorIs(t, err, kubefake.ErrCrash)
		c.FailAfter(-1)
		_, err = e.Cancel(t.Context(), spec, ControllerGone(true))
		require.NoError(t, err)
		assert.Equal(t, before, c.Refs(), "after a crash at write %d", n)
	}
}
