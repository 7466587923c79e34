package federator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

// unrehearsed is a cluster that answers the rehearsal of one object with an error.
type unrehearsed struct {
	kube.Client
	object string
	err    error
}

func (u *unrehearsed) Apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	if ref := kube.RefOf(o); dryRun && u.err != nil && ref.Kind+" "+ref.Name == u.object {
		return nil, fmt.Errorf("apply %s: %w", ref, u.err)
	}
	return u.Client.Apply(ctx, o, dryRun)
}

// webhookAway is what the API server says when it cannot ask a webhook.
func webhookAway() error {
	return apierrors.NewInternalError(errors.New(`failed calling webhook "theirs"`))
}

func unrehearsable(t *testing.T, object string, err error) (*kubefake.Cluster, *unrehearsed, *Engine, Spec) {
	t.Helper()
	c, e, spec := setup(t, "c2")
	require.Empty(t, refused(converge(t, e, spec)))
	u := &unrehearsed{Client: c, object: object, err: err}
	e, newErr := newEngine(u)
	require.NoError(t, newErr)
	return c, u, e, spec
}

// A webhook that is away for one object is tried again soon. It holds up no withdrawal
// of anybody else's, and what stands as it was rendered keeps its state.
func TestAnObjectThatCannotBeRehearsedHoldsUpNoWithdrawal(t *testing.T) {
	c, u, e, spec := unrehearsable(t, "AuthorizationPolicy "+ratingsGrant, webhookAway())
	next := spec
	next.Exposures = spec.Exposures[1:]
	for range 2 {
		got, err := e.Converge(t.Context(), gateways, next)
		require.ErrorContains(t, err, `failed calling webhook "theirs"`, "this is to be tried again soon")
		var passing *PassingError
		require.ErrorAs(t, err, &passing, "the rest is done and judged")
		assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
		assert.Nil(t, get(t, c, "VirtualService", gateways, reviewsGrant))
		assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant), "what is in force stays")
		assert.Empty(t, refused(got), "what is in force as it stands does not flap")
		assert.Equal(t, FormWhole, got.Verdicts[next.Exposures[0].Key()].Form)
		assert.Equal(t, []string{"c1", "c3"}, consumers(got.InForce, "ratings"))
		assert.Equal(t, []string{"c1", "c3"}, consumers(applied(t, c), "ratings"))
	}
	c.Writes()
	_, err := e.Converge(t.Context(), gateways, next)
	require.Error(t, err)
	assert.Empty(t, c.Writes(), "what stands needs no write")

	u.err = nil
	assert.Empty(t, refused(converge(t, e, next)))
}

// What is new waits for its own rehearsal only; what weakens the boundary as a
// whole bars everything new.
func TestWhatCannotBeRehearsedLetsNothingNewIn(t *testing.T) {
	cases := map[string]struct {
		object  string
		waiting []string
	}{
		"a grant":      {"AuthorizationPolicy " + ratingsGrant, []string{"Exposure/bookinfo/ratings"}},
		"the listener": {"Gateway federation-ingress", []string{"Exposure/bookinfo/heir", "Exposure/bookinfo/ratings"}},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, u, e, spec := unrehearsable(t, row.object, webhookAway())
			next := withoutC3(spec)
			next.Exposures[1].Spec.Path = "/ratings/new/"
			heir := spec.Exposures[0]
			heir.Name, heir.Spec.Path = "heir", "/heir/"
			next.Exposures = append(next.Exposures, heir)
			for range 2 {
				got, err := e.Converge(t.Context(), gateways, next)
				require.ErrorContains(t, err, "failed calling webhook")
				waiting := onlyNew(refused(got))
				for _, who := range row.waiting {
					assert.Equal(t, api.CauseClusterNotReady, waiting[who], who)
					assert.ErrorContains(t, problemOf(got, who), "it cannot be rehearsed")
				}
				assert.Len(t, waiting, len(row.waiting), "what stands has no problem")
				assert.Equal(t, FormEarlier, got.Verdicts[next.Exposures[1].Key()].Form)
				heirs := get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-heir")
				assert.Equal(t, !slices.Contains(row.waiting, "Exposure/bookinfo/heir"), heirs != nil)
			}
			u.err = nil
			assert.Empty(t, refused(converge(t, e, next)))
			assert.Equal(t, []string{"c1"}, consumers(applied(t, c), "ratings"))
			assert.NotNil(t, get(t, c, "VirtualService", gateways, "federation-expose-bookinfo-heir"))
		})
	}
}

// SAD PATHS: an object that is not as it was rendered is told while nobody can mend it.
func TestWhatCannotBeRehearsedAndDiffersIsTold(t *testing.T) {
	cases := map[string]struct {
		object, told string
		change       func(*testing.T, *kubefake.Cluster)
	}{
		"a deleted grant": {"AuthorizationPolicy " + ratingsGrant, "Exposure/bookinfo/ratings", func(t *testing.T, c *kubefake.Cluster) {
			remove(t, c, "AuthorizationPolicy", gateways, ratingsGrant)
		}},
		"a grant that somebody has changed": {"AuthorizationPolicy " + ratingsGrant, "Exposure/bookinfo/ratings", func(t *testing.T, c *kubefake.Cluster) {
			c.Seize("kubectl", edit(t, "AuthorizationPolicy", ratingsGrant, "spec: {rules: [{}]}"))
		}},
		"a listener that somebody has moved": {"Gateway federation-ingress", "Mesh/c2", func(t *testing.T, c *kubefake.Cluster) {
			c.Seize("kubectl", edit(t, "Gateway", "federation-ingress", "spec: {selector: {istio: elsewhere}}"))
		}},
		"a route that somebody has added to": {"VirtualService " + ratingsGrant, "Exposure/bookinfo/ratings", func(t *testing.T, c *kubefake.Cluster) {
			c.Seize("kubectl", edit(t, "VirtualService", ratingsGrant, "spec: {exportTo: [\"*\"]}"))
		}},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, _, e, spec := unrehearsable(t, row.object, webhookAway())
			row.change(t, c)
			for range 2 {
				got, err := e.Converge(t.Context(), gateways, spec)
				require.ErrorContains(t, err, "failed calling webhook")
				assert.Equal(t, map[string]api.Cause{row.told: api.CauseConflict}, refused(got), "the cluster holds something else")
				assert.ErrorContains(t, problemOf(got, row.told), "it cannot be rehearsed")
			}
		})
	}
}

// An API server that does not answer, or that will not show what is there, ends
// the look: nobody knows what another request would find.
func TestARehearsalWithoutAnAnswerEndsTheLook(t *testing.T) {
	c, _, e, spec := unrehearsable(t, "AuthorizationPolicy "+ratingsGrant, kubefake.ErrCrash)
	c.Writes()
	next := spec
	next.Exposures = spec.Exposures[1:]
	_, err := e.Converge(t.Context(), gateways, next)
	require.ErrorIs(t, err, kubefake.ErrCrash)
	assert.Empty(t, c.Writes())
}

// away is a cluster whose webhook cannot be asked about anything.
type away struct {
	kube.Client
	mu    sync.Mutex
	asked map[kube.Ref]int
}

func (a *away) Apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	if !dryRun {
		return a.Client.Apply(ctx, o, dryRun)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[kube.RefOf(o)]++
	return nil, fmt.Errorf("apply %s: %w", kube.RefOf(o), webhookAway())
}

// A webhook takes ten seconds to be found away, for each object: a Converge with
// several rounds waits for each of them once.
func TestWhatCannotBeRehearsedIsAskedOnceInAConverge(t *testing.T) {
	c, e, spec := setup(t, "c2")
	require.Empty(t, refused(converge(t, e, spec)))
	a := &away{Client: c, asked: map[kube.Ref]int{}}
	e, err := newEngine(a)
	require.NoError(t, err)
	next := spec
	next.Exposures = slices.Clone(spec.Exposures[1:])
	next.Exposures[0].Spec.Path = "/ratings/new/"
	got, err := e.Converge(t.Context(), gateways, next)
	require.ErrorContains(t, err, "failed calling webhook")
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant), "withdrawn")
	assert.Equal(t, FormEarlier, got.Verdicts[next.Exposures[0].Key()].Form)
	require.NotEmpty(t, a.asked)
	for ref, times := range a.asked {
		assert.Equal(t, 1, times, ref)
	}
}

// By the command line, too: what a cancel is about goes, and it says what it could
// not look at.
func TestACancelGoesOnPastWhatCannotBeRehearsed(t *testing.T) {
	c, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	u := &unrehearsed{Client: c, object: "Gateway federation-ingress", err: webhookAway()}
	e, err = newEngine(u)
	require.NoError(t, err)
	one := mustSelect(t, spec, "Exposure/bookinfo/reviews-v2")

	_, err = e.Cancel(t.Context(), one)
	require.ErrorContains(t, err, "Gateway istio-private-gateways/federation-ingress: it cannot be rehearsed")
	assert.ErrorContains(t, err, "failed calling webhook")
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, reviewsGrant))
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, ratingsGrant))
	inv, err := inventory.Recall(t.Context(), c, gateways)
	require.NoError(t, err)
	assert.Equal(t, inventory.PhaseApplying, inv.Phase, "it is not finished")

	u.err = nil
	_, err = e.Cancel(t.Context(), one)
	require.NoError(t, err)
	assert.Nil(t, get(t, c, "VirtualService", gateways, reviewsGrant))
}
