package federator

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

// written are the writes since the last time, but for the inventory's: the tries to
// delete something are announced there.
func written(c *kubefake.Cluster) []kubefake.Write {
	return slices.DeleteFunc(c.Writes(), func(w kubefake.Write) bool { return w.Ref.Name == inventory.Name })
}

// Beside a grant that cannot be deleted, nothing is taken away only to be put back:
// that would interrupt callers at every look, and every look would be the reason for
// the next one.
func TestBesideAGrantThatCannotBeDeletedNothingIsDoneAndUndone(t *testing.T) {
	cases := map[string]struct {
		change func(*Spec)
		// ratings are the consumers whom they keep.
		ratings []string
	}{
		"another exposure changes its path": {func(s *Spec) {
			s.Exposures = slices.Clone(s.Exposures[1:])
			s.Exposures[0].Spec.Path = "/ratings/new/"
		}, []string{"c1", "c3"}},
		"another exposure changes its path and loses a peer": {func(s *Spec) {
			*s = withoutC3(*s)
			s.Exposures = s.Exposures[1:]
			s.Exposures[0].Spec.Path = "/ratings/new/"
		}, []string{"c1"}},
		"the gateway moves to other pods": {func(s *Spec) {
			s.Exposures = s.Exposures[1:]
			gateway := *s.Mesh.Spec.Ingress
			gateway.Selector = map[string]string{"app": "istio-private-ingressgateway"}
			s.Mesh.Spec.Ingress = &gateway
		}, []string{"c1", "c3"}},
		"the gateway is given up": {func(s *Spec) { s.Mesh.Spec.Ingress = nil }, nil},
		"the Mesh takes the name of a peer": {func(s *Spec) {
			s.Exposures = s.Exposures[1:]
			s.Mesh.Spec.ClusterDomain = "c3.example.com"
		}, []string{"c1"}},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, r, e, spec := stubborn(t, "c2")
			spec.Peers[1].Spec.SNI = "c3.example.com"
			require.Empty(t, refused(converge(t, e, spec)))
			r.undeletable = denied("AuthorizationPolicy " + reviewsGrant)
			next := spec
			row.change(&next)
			c.Writes()
			got := converge(t, e, next)
			touched := map[string]int{}
			for _, w := range written(c) {
				touched[w.Ref.String()]++
				assert.Equal(t, 1, touched[w.Ref.String()], "%s is written twice in one look", w.Ref)
			}
			for range 2 {
				assert.Equal(t, api.CauseNotWithdrawn, refused(got)[spec.Mesh.Key().String()])
				assert.Equal(t, row.ratings, consumers(got.InForce, "ratings"))
				grant := get(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
				require.Equal(t, len(row.ratings) > 0, grant != nil)
				if grant != nil {
					rules, _, _ := unstructured.NestedSlice(grant.Object, "spec", "rules")
					assert.Len(t, rules, len(row.ratings))
				}
				got = converge(t, e, next)
				assert.Empty(t, written(c), "the second look does nothing")
			}

			r.undeletable = nil
			converge(t, e, next)
			assert.NotContains(t, refused(converge(t, e, next)), spec.Mesh.Key().String())
			assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
		})
	}
}

// That a Mesh waits, because of what still lets somebody in, holds up nothing that it
// withdraws.
func TestAMeshThatWaitsWithdrawsWhatItHasNoPlaceFor(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	replace(t, c, "AuthorizationPolicy", reviewsGrant)
	next := spec
	next.Exposures, next.Mesh.Spec.Ingress = spec.Exposures[1:], nil
	for range 2 {
		got := converge(t, e, next)
		mesh := got.Verdicts[spec.Mesh.Key()]
		assert.Equal(t, FormEarlier, mesh.Form)
		assert.Equal(t, api.CauseNotWithdrawn, mesh.Problems[0].Cause)
		assert.Equal(t, FormNone, got.Verdicts[spec.Exposures[1].Key()].Form)
		assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
		assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-ingress-default-deny"))
	}
	c.Writes()
	assert.Zero(t, converge(t, e, next).Writes)
}

// A declaration that is refused another place keeps its own, though a new one waits
// for that. When the new one got it, beside a grant that cannot be deleted the old one
// was taken away and put back at every look, and every look was the reason for the next.
func TestWhoIsRefusedAnotherPlaceKeepsItsOwnFromANewOne(t *testing.T) {
	c, r, e, spec := stubborn(t, "c2")
	other := spec.Exposures[1]
	other.Name, other.Spec.Path = "other", "/other/"
	spec.Exposures = append(slices.Clone(spec.Exposures), other)
	require.Empty(t, refused(converge(t, e, spec)))

	r.undeletable = denied("AuthorizationPolicy " + reviewsGrant)
	next, heir := spec, spec.Exposures[1]
	next.Exposures = slices.Clone(spec.Exposures[1:])
	next.Exposures[0].Spec.Path = "/other/v2/" // claimed by the other one
	heir.Name = "heir"
	next.Exposures = append([]api.Exposure{heir}, next.Exposures...)
	converge(t, e, next)
	c.Writes()
	for range 3 {
		got := converge(t, e, next)
		assert.Empty(t, written(c))
		assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "ratings"))
		assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
	}

	r.undeletable = nil
	assert.Equal(t, api.CausePathClaimed, refused(converge(t, e, next))["Exposure/bookinfo/heir"])
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
}
