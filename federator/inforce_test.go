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

// coOwn is what a GitOps tool does that applies a grant as it stands: its rules
// then have two owners, and neither can change them alone.
func coOwn(t *testing.T, c *kubefake.Cluster, name string) {
	t.Helper()
	grant := get(t, c, "AuthorizationPolicy", gateways, name)
	rules, _, _ := unstructured.NestedSlice(grant.Object, "spec", "rules")
	_, err := c.ApplyAs("argocd", &unstructured.Unstructured{Object: map[string]any{"apiVersion": grant.GetAPIVersion(), "kind": grant.GetKind(),
		"metadata": map[string]any{"name": name, "namespace": gateways}, "spec": map[string]any{"rules": rules}}}, false)
	require.NoError(t, err)
}

// consumers of an exposure, as a spec has them.
func consumers(s Spec, name string) []string {
	var out []string
	for _, e := range s.Exposures {
		if e.Name == name {
			for _, c := range e.Spec.Consumers {
				out = append(out, c.Peer)
			}
		}
	}
	return out
}

func applied(t *testing.T, c *kubefake.Cluster) Spec {
	t.Helper()
	inv, err := inventory.Recall(t.Context(), c, gateways)
	require.NoError(t, err)
	require.NotNil(t, inv)
	require.NotNil(t, inv.Applied)
	return *inv.Applied
}

// A peer that another owner's claim keeps in a grant is in force, and everybody
// is told so until it is out.
func TestAPeerThatCannotBeTakenOutOfAGrantIsStillInForce(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	coOwn(t, c, ratingsGrant)
	require.Empty(t, refused(converge(t, e, spec)), "nobody disagrees yet")

	narrower := withoutC3(spec)
	for range 2 {
		got := converge(t, e, narrower)
		assert.Equal(t, map[string]api.Cause{"Exposure/bookinfo/ratings": api.CauseConflict}, refused(got))
		assert.Equal(t, FormEarlier, got.Verdicts[narrower.Exposures[1].Key()].Form)
		assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "ratings"))
		assert.Equal(t, []string{"c1", "c3"}, consumers(applied(t, c), "ratings"))
	}
	c.Writes()
	assert.Zero(t, converge(t, e, narrower).Writes)

	// Nobody can narrow it, but its owner can still take all of it back.
	nothing := narrower
	nothing.Exposures = narrower.Exposures[:1]
	got := converge(t, e, nothing)
	assert.Empty(t, consumers(got.InForce, "ratings"))
	assert.Empty(t, consumers(applied(t, c), "ratings"))
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
}

// A deleted exposure whose grant stays counts as in force, with its peers, until
// the grant is gone.
func TestADeletedExposureWhoseGrantStaysIsStillInForce(t *testing.T) {
	c, r, e, spec := stubborn(t, "c2")
	r.undeletable = denied("AuthorizationPolicy " + ratingsGrant)
	next := spec
	next.Exposures, next.Peers = spec.Exposures[:1], spec.Peers[:1] // c3 goes, too
	for range 2 {
		got := converge(t, e, next)
		assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "ratings"))
		assert.Len(t, got.InForce.Exposures, 2)
		assert.Equal(t, []string{"c1", "c3"}, consumers(applied(t, c), "ratings"))
		_, known := got.InForce.Peer("c3")
		assert.True(t, known, "what is in force names no peer that is not there")
	}
	r.undeletable = nil
	got := converge(t, e, next)
	assert.Empty(t, refused(got))
	assert.Len(t, got.InForce.Exposures, 1)
	assert.Len(t, applied(t, c).Exposures, 1)
}

// What is in force is written down with all that it rests on: whoever renders it
// later must find the gateway and the peer's address, though the wish has them no more.
func TestWhatAConsumerRouteLeftBehindRestsOnIsStillInForce(t *testing.T) {
	for name, drop := range map[string]func(*Spec){
		"the gateway":        func(s *Spec) { s.Mesh.Spec.Egress = nil },
		"the peer's address": func(s *Spec) { s.Peers[0].Spec = api.PeerSpec{ClientIdentity: s.Peers[0].Spec.ClientIdentity} },
	} {
		t.Run(name, func(t *testing.T) {
			c, r, e, spec := stubborn(t, "c1")
			r.undeletable = denied("VirtualService federation-ratings")
			next := spec
			next.Peers, next.Consumptions = slices.Clone(spec.Peers), nil
			drop(&next)
			got := converge(t, e, next)
			assert.Equal(t, api.CauseNotWithdrawn, refused(got)[spec.Mesh.Key().String()])
			assert.NotNil(t, got.InForce.Mesh.Spec.Egress)
			peer, known := got.InForce.Peer(spec.Peers[0].Name)
			require.True(t, known)
			assert.Equal(t, spec.Peers[0].Spec.Address, peer.Spec.Address)
			assert.Equal(t, got.InForce, applied(t, c))

			next.Exposures = nil
			for range 2 {
				got = converge(t, e, next)
				assert.Equal(t, api.CauseNotWithdrawn, refused(got)[spec.Mesh.Key().String()])
				assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-default-reviews"))
			}
			r.undeletable = nil
			converge(t, e, next)
			assert.Empty(t, refused(converge(t, e, next)))
			assert.Nil(t, get(t, c, "VirtualService", "default", "federation-ratings"))
		})
	}
}

// An earlier version has written down what cannot be rendered. That holds up no
// withdrawal.
func TestAnInventoryOfWhatCannotBeRenderedHoldsUpNoWithdrawal(t *testing.T) {
	for name, spoil := range map[string]func(*Spec){
		"no gateway":       func(s *Spec) { s.Mesh.Spec.Egress, s.Mesh.Spec.Ingress = nil, nil },
		"no such peer":     func(s *Spec) { s.Peers = nil },
		"no peer's server": func(s *Spec) { s.Peers[0].Spec = api.PeerSpec{ClientIdentity: s.Peers[0].Spec.ClientIdentity} },
	} {
		t.Run(name, func(t *testing.T) {
			c, r, e, spec := stubborn(t, "c1")
			inv, err := inventory.Recall(t.Context(), c, gateways)
			require.NoError(t, err)
			spoil(inv.Applied)
			_, err = inv.Save(t.Context(), c, gateways)
			require.NoError(t, err)
			r.undeletable = denied("VirtualService federation-ratings")
			next := spec
			next.Exposures, next.Consumptions = nil, nil
			for range 2 {
				got := converge(t, e, next)
				assert.Equal(t, map[string]api.Cause{spec.Mesh.Key().String(): api.CauseNotWithdrawn}, refused(got))
				assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-default-reviews"))
			}
		})
	}
}
