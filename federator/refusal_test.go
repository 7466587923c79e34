package federator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

const reviewsGrant = "federation-expose-bookinfo-reviews-v2-40832250"

// refusing is a cluster that will not show the objects of one namespace, and will
// not delete some objects.
type refusing struct {
	kube.Client
	unreadable string
	// undeletable by name, and what the API server says instead.
	undeletable map[string]error
}

func (r *refusing) Get(ctx context.Context, ref kube.Ref) (*unstructured.Unstructured, error) {
	if r.unreadable != "" && ref.Namespace == r.unreadable {
		return nil, fmt.Errorf("get %s: %w", ref, forbidden(ref, "no Role"))
	}
	return r.Client.Get(ctx, ref)
}

func (r *refusing) List(ctx context.Context, apiVersion, kind, namespace string) ([]unstructured.Unstructured, error) {
	if r.unreadable != "" && namespace == r.unreadable {
		return nil, fmt.Errorf("list %s: %w", kind, forbidden(kube.Ref{Kind: kind}, "no Role"))
	}
	return r.Client.List(ctx, apiVersion, kind, namespace)
}

func (r *refusing) Delete(ctx context.Context, ref kube.Ref, uid types.UID) (bool, error) {
	if err := r.undeletable[ref.Kind+" "+ref.Name]; err != nil {
		return false, fmt.Errorf("delete %s: %w", ref, err)
	}
	return r.Client.Delete(ctx, ref, uid)
}

func forbidden(ref kube.Ref, why string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: ref.Kind}, ref.Name, errors.New(why))
}

// denied is what a webhook's refusal of one deletion looks like.
func denied(objects ...string) map[string]error {
	out := map[string]error{}
	for _, o := range objects {
		out[o] = forbidden(kube.Ref{Name: o}, "denied by a webhook")
	}
	return out
}

// stubborn is the seed's cluster with everything in force, and a door to it that
// refuses what the caller says.
func stubborn(t *testing.T, name string) (*kubefake.Cluster, *refusing, *Engine, Spec) {
	t.Helper()
	c, e, spec := setup(t, name)
	if name == "c1" { // it also exposes something
		spec.Peers[0].Spec.ClientIdentity = "spiffe://c2.example.com/egress"
		spec.Exposures = []api.Exposure{{Spec: api.ExposureSpec{Service: api.Service{Name: "reviews", Port: 9080}, Path: "/reviews/",
			Consumers: []api.Consumer{{Peer: spec.Peers[0].Name, Methods: []string{"GET"}}}}}}
		spec.Exposures[0].Name, spec.Exposures[0].Namespace = "reviews", "default"
	}
	require.Empty(t, refused(converge(t, e, spec)))
	r := &refusing{Client: c}
	e, err := newEngine(r)
	require.NoError(t, err)
	return c, r, e, spec
}

// A Role that is no longer there keeps the engine out of one namespace. What was
// exposed elsewhere is withdrawn all the same.
func TestAnUnreadableNamespaceHoldsUpNoWithdrawal(t *testing.T) {
	c, r, e, spec := stubborn(t, "c1")
	r.unreadable = "default"
	nothing := spec
	nothing.Exposures, nothing.Consumptions = nil, nil
	for range 2 {
		got := converge(t, e, nothing)
		assert.Equal(t, map[string]api.Cause{"Mesh/c1": api.CauseNotWithdrawn}, refused(got))
	}
	for ref := range c.Refs() {
		if ref.Namespace == gateways {
			assert.NotContains(t, ref.Name, "federation-")
		}
	}
	r.unreadable = ""
	assert.Empty(t, refused(converge(t, e, nothing)), "it was not forgotten")
	assert.Nil(t, get(t, c, "VirtualService", "default", "federation-ratings"))
	assert.Nil(t, get(t, c, "ConfigMap", gateways, inventory.Name))
}

// What is still declared in a namespace that cannot be read any more stays as it
// stands, is told, and holds up nothing that is declared elsewhere.
func TestADeclarationInAnUnreadableNamespaceHoldsUpNoOther(t *testing.T) {
	c, _, _, spec := stubborn(t, "c1")
	spec.Consumptions = slices.Clone(spec.Consumptions)
	for i := range spec.Consumptions {
		spec.Consumptions[i].Namespace = "team"
		spec.Consumptions[i].Spec.Routes = []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 100}}}}
	}
	r := &refusing{Client: c}
	e, err := newEngine(r)
	require.NoError(t, err)
	require.Empty(t, refused(converge(t, e, spec)))
	team := func() map[kube.Ref]string {
		out := contents(t, c)
		maps.DeleteFunc(out, func(ref kube.Ref, _ string) bool { return ref.Namespace != "team" })
		return out
	}
	before := team()
	require.NotEmpty(t, before)

	r.unreadable = "team"
	next := spec
	next.Exposures = nil
	late := spec.Consumptions[0]
	late.Name, late.Spec.Service.Name = "late", "late"
	next.Consumptions = append(slices.Clone(spec.Consumptions), late)
	got := converge(t, e, next)
	want := map[string]api.Cause{}
	for i := range next.Consumptions {
		want[next.Consumptions[i].Key().String()] = api.CauseClusterNotReady
	}
	assert.Equal(t, want, refused(got))
	assert.Contains(t, got.Verdicts[late.Key()].Problems[0].Reason, "no Role")
	assert.Equal(t, FormNone, got.Verdicts[late.Key()].Form)
	assert.Empty(t, got.InForce.Exposures)
	assert.Len(t, got.InForce.Consumptions, len(spec.Consumptions))
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-default-reviews"))
	assert.Equal(t, before, team())
	assert.Zero(t, converge(t, e, next).Writes)

	r.unreadable = ""
	assert.Empty(t, refused(converge(t, e, next)))
}

// Consumers move back before grants go; one that cannot be moved keeps no grant
// in force.
func TestARouteThatCannotBeDeletedKeepsNoGrantInForce(t *testing.T) {
	c, r, e, spec := stubborn(t, "c1")
	r.undeletable = denied("VirtualService federation-ratings")
	nothing := spec
	nothing.Exposures, nothing.Consumptions = nil, nil
	got := converge(t, e, nothing)
	assert.Equal(t, map[string]api.Cause{"Mesh/c1": api.CauseNotWithdrawn}, refused(got))
	assert.Contains(t, got.Verdicts[spec.Mesh.Key()].Problems[0].Reason, "denied by a webhook")
	for ref := range c.Refs() {
		assert.NotEqual(t, "AuthorizationPolicy", ref.Kind, ref.Name)
	}
	assert.NotNil(t, get(t, c, "VirtualService", "default", "federation-ratings"))
	r.undeletable = nil
	assert.Empty(t, refused(converge(t, e, nothing)))
	assert.Nil(t, get(t, c, "VirtualService", "default", "federation-ratings"))
}

// Beside a grant that cannot be deleted, what others withdraw goes, what they
// narrow is narrowed, and nothing is added: the path of the deleted one is free,
// and whoever has it next would be served to the callers of before.
func TestAGrantThatCannotBeDeletedHoldsUpNoWithdrawalAndLetsNothingNewIn(t *testing.T) {
	c, r, e, spec := stubborn(t, "c2")
	r.undeletable = denied("AuthorizationPolicy " + reviewsGrant)
	next := withoutC3(spec)
	heir := spec.Exposures[0]
	heir.Name, heir.Spec.Service = "heir", spec.Exposures[1].Spec.Service
	next.Exposures = []api.Exposure{next.Exposures[1], heir}
	for range 2 {
		got := onlyNew(refused(converge(t, e, next)))
		assert.Equal(t, api.CauseNotWithdrawn, got["Mesh/c2"])
		assert.Equal(t, api.CauseNotWithdrawn, got["Exposure/bookinfo/heir"])
		assert.Nil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-heir"))
		assert.Nil(t, get(t, c, "VirtualService", gateways, reviewsGrant), "its route is gone")
		rules, _, _ := unstructured.NestedSlice(get(t, c, "AuthorizationPolicy", gateways, ratingsGrant).Object, "spec", "rules")
		assert.Len(t, rules, 1, "narrowed")
	}
	r.undeletable = nil
	converge(t, e, next)
	assert.Empty(t, refused(converge(t, e, next)))
	assert.NotNil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-heir"))
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
}

// What a remnant rests on stays: a gateway that still listens is not left without
// its default deny, nor a route to a peer without the peer's verification.
func TestTheFoundationsStayUnderWhatCannotBeDeleted(t *testing.T) {
	for _, row := range []struct{ cluster, undeletable, kind, name string }{
		{"c2", "Gateway federation-ingress", "AuthorizationPolicy", "federation-ingress-default-deny"},
		{"c2", "AuthorizationPolicy " + ratingsGrant, "AuthorizationPolicy", "federation-ingress-default-deny"},
		{"c1", "VirtualService federation-consume-default-ratings", "DestinationRule", "federation-peer-c2"},
	} {
		t.Run(row.undeletable, func(t *testing.T) {
			c, r, e, spec := stubborn(t, row.cluster)
			owners, _, _ := setup(t, row.cluster)
			require.NotNil(t, get(t, c, row.kind, gateways, row.name))
			r.undeletable = denied(row.undeletable)
			nothing := spec
			nothing.Exposures, nothing.Consumptions = nil, nil
			for range 2 {
				assert.Contains(t, refused(converge(t, e, nothing)), spec.Mesh.Key().String())
				assert.NotNil(t, get(t, c, row.kind, gateways, row.name))
				assertCovered(t, c, owners.Refs())
			}
			r.undeletable = nil
			converge(t, e, nothing)
			assert.Equal(t, owners.Refs(), c.Refs())
		})
	}
}

// An error that may pass is told as one, so that it is tried again soon; the
// other withdrawals are made before.
func TestAPassingErrorOfOneDeletionIsReturnedAndHoldsUpNothing(t *testing.T) {
	c, r, e, spec := stubborn(t, "c2")
	r.undeletable = map[string]error{"VirtualService " + reviewsGrant: apierrors.NewInternalError(errors.New("the webhook timed out"))}
	next := withoutC3(spec)
	next.Exposures = next.Exposures[1:]
	_, err := e.Converge(t.Context(), gateways, next)
	require.ErrorContains(t, err, "the webhook timed out")
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
	rules, _, _ := unstructured.NestedSlice(get(t, c, "AuthorizationPolicy", gateways, ratingsGrant).Object, "spec", "rules")
	assert.Len(t, rules, 1)
	r.undeletable = nil
	assert.Empty(t, refused(converge(t, e, next)))
	assert.Nil(t, get(t, c, "VirtualService", gateways, reviewsGrant))
}

// A mesh of which something cannot be deleted is not replaced, and the new one says so.
func TestAMeshThatCannotBeWithdrawnIsToldByTheOneThatReplacesIt(t *testing.T) {
	c, r, e, spec := stubborn(t, "c2")
	r.undeletable = denied("AuthorizationPolicy " + reviewsGrant)
	next := spec
	next.Mesh.Name = "renamed"
	for range 2 {
		got, err := e.Converge(t.Context(), gateways, next)
		require.ErrorContains(t, err, "denied by a webhook")
		assert.Equal(t, map[string]api.Cause{"Mesh/renamed": api.CauseNotWithdrawn}, refused(got))
		assert.Equal(t, FormNone, got.Verdicts[next.Mesh.Key()].Form)
		assert.ErrorContains(t, problemOf(got, "Mesh/renamed"), "mesh c2 is not withdrawn: delete AuthorizationPolicy")
		assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
	}
	r.undeletable = nil
	assert.Empty(t, refused(converge(t, e, next)))
}

// By the command line, too: what can be withdrawn is, nothing is added after a
// withdrawal that failed, and the inventory says that the apply did not end.
func TestAnApplyGoesOnWithdrawingPastADeletionThatFails(t *testing.T) {
	c, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	r := &refusing{Client: c, undeletable: denied("AuthorizationPolicy " + reviewsGrant)}
	e, err = newEngine(r)
	require.NoError(t, err)
	next := spec
	next.Exposures = slices.Clone(spec.Exposures[:1])
	next.Exposures[0].Name, next.Exposures[0].Spec.Path = "heir", "/heir/"

	_, err = e.Apply(t.Context(), next)
	require.ErrorContains(t, err, "denied by a webhook")
	for _, kind := range []string{"AuthorizationPolicy", "VirtualService"} {
		assert.Nil(t, get(t, c, kind, gateways, ratingsGrant))
		assert.Nil(t, get(t, c, kind, gateways, "federation-expose-bookinfo-heir"))
	}
	status, err := e.Status(t.Context(), next)
	require.NoError(t, err)
	assert.True(t, status.Unfinished)

	r.undeletable = nil
	_, err = e.Apply(t.Context(), next)
	require.NoError(t, err)
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, "federation-expose-bookinfo-heir"))
}
