package federator

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

// misspelt gives the egress gateway a selector that the API server takes and the
// engine does not.
func misspelt(s *Spec) {
	g := *s.Mesh.Spec.Egress
	g.Selector = map[string]string{"istio": "not a label's value"}
	s.Mesh.Spec.Egress = &g
}

// edited is a wish in which one exposure is deleted, another one made and a third
// one's path changed, beside an edit of the Mesh.
func edited(spec Spec, mesh func(*Spec)) Spec {
	out := spec
	mesh(&out)
	heir := spec.Exposures[1]
	heir.Name, heir.Spec.Path = "heir", "/heir/"
	out.Exposures = slices.Clone(append(slices.Clone(spec.Exposures[:1]), heir, spec.Exposures[2]))
	out.Exposures[2].Spec.Path = "/moved/"
	return out
}

// threefold has a third exposure in force.
func threefold(t *testing.T) (*kubefake.Cluster, *Engine, Spec) {
	t.Helper()
	c, e, spec := setup(t, "c2")
	third := spec.Exposures[1]
	third.Name, third.Spec.Path = "third", "/third/"
	spec.Exposures = append(slices.Clone(spec.Exposures), third)
	require.Empty(t, refused(converge(t, e, spec)))
	c.Writes()
	return c, e, spec
}

// assertOnlyWithdrawn proves of a wish made by edited that what it takes away is
// gone and that everything else is as it was.
func assertOnlyWithdrawn(t *testing.T, c *kubefake.Cluster, got Convergence) {
	t.Helper()
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant), "withdrawn")
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-bookinfo-heir"), "nothing is added")
	assert.Equal(t, map[string]api.Cause{"Exposure/bookinfo/heir": api.CauseNoMesh, "Exposure/bookinfo/third": api.CauseNoMesh},
		lessMesh(refused(got)))
	assert.Equal(t, FormNone, got.Verdicts[keys(t, "Exposure/bookinfo/heir")[0]].Form)
	assert.Equal(t, FormEarlier, got.Verdicts[keys(t, "Exposure/bookinfo/third")[0]].Form)
	assert.Equal(t, FormWhole, got.Verdicts[keys(t, "Exposure/bookinfo/reviews-v2")[0]].Form)
	assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "third"))
	assert.Nil(t, consumers(got.InForce, "ratings"))
	assert.Equal(t, got.InForce, applied(t, c))
}

func lessMesh(all map[string]api.Cause) map[string]api.Cause {
	delete(all, "Mesh/c2")
	return all
}

// Who edits the Mesh must not keep in force what others withdraw: the version before
// stays, and only withdrawals go on.
func TestAWrongEditOfTheMeshHoldsUpNoWithdrawal(t *testing.T) {
	c, e, spec := threefold(t)
	next := edited(spec, misspelt)
	for range 2 {
		got := converge(t, e, next)
		assertOnlyWithdrawn(t, c, got)
		mesh := got.Verdicts[spec.Mesh.Key()]
		assert.Equal(t, FormEarlier, mesh.Form)
		require.Len(t, mesh.Problems, 1)
		assert.Equal(t, api.CauseInvalid, mesh.Problems[0].Cause)
		assert.Contains(t, mesh.Problems[0].Field, "spec.egress.selector")
		assert.ErrorContains(t, problemOf(got, "Exposure/bookinfo/heir"), "Mesh c2 is not accepted: spec.egress.selector")
	}
	c.Writes()
	assert.Zero(t, converge(t, e, next).Writes, "the second look does nothing")

	next.Mesh = spec.Mesh
	assert.Empty(t, refused(converge(t, e, next)))
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-bookinfo-heir"))
}

// A gateway that a wrong edit gives up takes nobody in any more, whatever is wrong
// with the other one.
func TestAGatewayThatAWrongEditGivesUpIsWithdrawn(t *testing.T) {
	c, e, spec := threefold(t)
	next := edited(spec, misspelt)
	next.Mesh.Spec.Ingress = nil
	got := converge(t, e, next)
	assert.Equal(t, FormEarlier, got.Verdicts[spec.Mesh.Key()].Form)
	assert.Equal(t, map[string]api.Cause{"Exposure/bookinfo/reviews-v2": api.CauseNoGateway, "Exposure/bookinfo/heir": api.CauseNoGateway,
		"Exposure/bookinfo/third": api.CauseNoGateway}, lessMesh(refused(got)))
	assert.Empty(t, got.InForce.Exposures)
	for _, grant := range []string{reviewsGrant, ratingsGrant, "federation-expose-bookinfo-third"} {
		assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, grant))
	}
	assert.Nil(t, get(t, c, "ConfigMap", gateways, inventory.Name), "nothing else was in force")
	c.Writes()
	assert.Zero(t, converge(t, e, next).Writes)

	next.Mesh.Spec.Egress = nil
	converge(t, e, spec)
	got = converge(t, e, next)
	assert.Len(t, got.InForce.Exposures, 2, "a Mesh without any gateway is no Mesh, and withdraws nothing by itself")
}

// SAD PATH: with nothing in force there is nothing to go by.
func TestAWrongMeshWithNothingInForceIsRefused(t *testing.T) {
	c, e, spec := setup(t, "c2")
	misspelt(&spec)
	got := converge(t, e, spec)
	assert.Equal(t, map[string]api.Cause{"Mesh/c2": api.CauseInvalid}, refused(got))
	assert.Equal(t, FormNone, got.Verdicts[spec.Mesh.Key()].Form)
	assert.Empty(t, c.Writes())
}

// within is the reach of a caller that looks after one revision of Istio.
func within(revision string) Reach {
	return func(m api.Mesh) []Problem {
		if m.Spec.ControlPlane.Revision == revision {
			return nil
		}
		return []Problem{{Reason: "spec.controlPlane.revision is not known here", Cause: "elsewhere"}}
	}
}

// A Mesh that its controller cannot follow, as in an upgrade, holds up nothing either
// as long as the one in force is within reach.
func TestAMeshOutOfReachHoldsUpNoWithdrawal(t *testing.T) {
	c, e, spec := threefold(t)
	next := edited(spec, func(s *Spec) { s.Mesh.Spec.ControlPlane.Revision = "next" })
	for range 2 {
		got, err := e.Converge(t.Context(), gateways, next, within(""))
		require.NoError(t, err)
		assertOnlyWithdrawn(t, c, got)
		assert.Equal(t, Verdict{Form: FormEarlier, Problems: []Problem{{Reason: "spec.controlPlane.revision is not known here", Cause: "elsewhere"}}},
			got.Verdicts[spec.Mesh.Key()])
	}
	c.Writes()
	got, err := e.Converge(t.Context(), gateways, next, within(""))
	require.NoError(t, err)
	assert.Zero(t, got.Writes)

	next.Mesh = spec.Mesh
	got, err = e.Converge(t.Context(), gateways, next, within(""))
	require.NoError(t, err)
	assert.Empty(t, refused(got))
}

// SAD PATHS: where the boundary in force is out of reach, or is another mesh's,
// nothing is touched, and it is told what is in force.
func TestWhereNothingIsWithinReachNothingIsTouched(t *testing.T) {
	renamed := func(s *Spec) { s.Mesh.Name = "renamed" }
	for name, row := range map[string]struct {
		edit  func(*Spec)
		reach Reach
	}{
		"the one in force is out of reach, too": {func(*Spec) {}, within("other")},
		"another mesh takes its place":          {func(s *Spec) { renamed(s); s.Mesh.Spec.ControlPlane.Revision = "next" }, within("")},
	} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := threefold(t)
			next := edited(spec, row.edit)
			got, err := e.Converge(t.Context(), gateways, next, row.reach)
			require.NoError(t, err)
			assert.Equal(t, map[api.Key]Verdict{next.Mesh.Key(): {Form: FormNone, Problems: row.reach(next.Mesh)}}, got.Verdicts)
			assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "ratings"))
			assert.Empty(t, c.Writes())
		})
	}
	_, e, spec := setup(t, "c2")
	got, err := e.Converge(t.Context(), gateways, spec, within("other"))
	require.NoError(t, err)
	assert.Equal(t, FormNone, got.Verdicts[spec.Mesh.Key()].Form)
	assert.Empty(t, got.InForce.Exposures)
	got, err = e.Converge(t.Context(), gateways, Spec{}, within("other"))
	require.NoError(t, err)
	assert.Empty(t, got.Verdicts, "a wish without a Mesh is in nobody's reach and withdraws all the same")
}

// What the command line keeps is not taken over by a Mesh that nobody can follow: the
// declarations that come behind it would find all of it withdrawn.
func TestARefusedMeshTakesOverNothingOfTheCommandLine(t *testing.T) {
	for name, edit := range map[string]func(*Spec){
		"misspelt":     misspelt,
		"out of reach": func(s *Spec) { s.Mesh.Spec.ControlPlane.Revision = "next" },
	} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			_, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			c.Writes()
			next := Spec{Mesh: spec.Mesh}
			edit(&next)
			got, err := e.Converge(t.Context(), gateways, next, within(""))
			require.NoError(t, err)
			assert.Empty(t, c.Writes())
			assert.Equal(t, FormNone, got.Verdicts[next.Mesh.Key()].Form)
			assert.NotEmpty(t, got.Verdicts[next.Mesh.Key()].Problems)
			assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "ratings"))

			assert.Empty(t, refused(converge(t, e, spec)), "a Mesh that is accepted takes it over")
			inv, err := inventory.Recall(t.Context(), c, gateways)
			require.NoError(t, err)
			assert.Equal(t, inventory.KeeperController, inv.Keeper)
		})
	}
}

// upgraded is a cluster whose Role names the mesh config of the next revision alone.
type upgraded struct{ kube.Client }

func (u upgraded) Get(ctx context.Context, ref kube.Ref) (*unstructured.Unstructured, error) {
	if ref.Kind == "ConfigMap" && ref.Namespace == "istio-system" && ref.Name == "istio" {
		return nil, fmt.Errorf("get %s: %w", ref, forbidden(ref, "no Role"))
	}
	return u.Client.Get(ctx, ref)
}

// After an upgrade nobody may read the mesh config of the revision before any more.
// Where the Mesh of before stays in force because of a fault of the cluster,
// withdrawals go on, and nothing new is let in.
func TestAMeshConfigThatMayNotBeReadAnyMoreHoldsUpNoWithdrawal(t *testing.T) {
	for name, row := range map[string]struct{ revision, want string }{
		"of the revision before": {"next", "normalization"},
		"of the Mesh as it is":   {"", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, spec := threefold(t)
			_, err := c.Put(t.Context(), objects(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio-next, namespace: istio-system}}")[0])
			require.NoError(t, err)
			e, err := newEngine(upgraded{c})
			require.NoError(t, err)
			wish := edited(spec, func(s *Spec) { s.Mesh.Spec.ControlPlane.Revision = row.revision })
			for range 2 {
				got := converge(t, e, wish)
				assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant), "withdrawn")
				assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
				assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-bookinfo-heir"), "nothing is added")
				assert.ErrorContains(t, problemOf(got, "Mesh/c2"), row.want)
				assert.Equal(t, got.InForce, applied(t, c))
				assert.Empty(t, got.InForce.Mesh.Spec.ControlPlane.Revision, "the Mesh of before is in force")
			}
		})
	}
}

// With the Mesh goes the reason to read the mesh config, and perhaps the right.
func TestAMeshConfigThatMayNotBeReadKeepsNothingInForceThatNobodyDeclares(t *testing.T) {
	for name, wish := range map[string]func(*Spec){
		"no Mesh":      func(s *Spec) { *s = Spec{} },
		"another Mesh": func(s *Spec) { s.Mesh.Name, s.Exposures = "renamed", nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, _, spec := threefold(t)
			e, err := newEngine(upgraded{c})
			require.NoError(t, err)
			wish(&spec)
			assert.Empty(t, refused(converge(t, e, spec)))
			for ref := range c.Refs() {
				assert.NotContains(t, ref.Name, "federat")
			}
		})
	}
}
