package federator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// crowd adds more exposures than an inventory has room for, each within its own
// bounds and of letters that no compression shortens by much.
func crowd(spec Spec) Spec {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	random := rand.New(rand.NewPCG(1, 2))
	out := spec
	out.Exposures = slices.Clone(spec.Exposures)
	for i := range 60 {
		e := spec.Exposures[len(spec.Exposures)-1]
		e.Name, e.Spec.Path = fmt.Sprintf("crowd-%d", i), fmt.Sprintf("/crowd/%d/", i)
		e.Spec.Consumers = []api.Consumer{{Peer: "c1", Methods: []string{"GET"}}}
		for range 16 {
			path := make([]byte, 1024)
			for at := range path {
				path[at] = letters[random.IntN(len(letters))]
			}
			e.Spec.Consumers[0].Paths = append(e.Spec.Consumers[0].Paths, string(path))
		}
		out.Exposures = append(out.Exposures, e)
	}
	return out
}

const (
	firstGrant  = "federation-expose-bookinfo-reviews-v2-40832250"
	secondGrant = "federation-expose-bookinfo-ratings"
)

// What many have declared can outgrow the one object that remembers it. Then
// nothing is added, and what is withdrawn goes.
func TestAWithdrawalBesideAWishThatIsTooLongIsCarriedOut(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	wish := spec
	wish.Exposures = spec.Exposures[1:]
	wish.Exposures = slices.Clone(wish.Exposures)
	kept := wish.Exposures[0]
	kept.Spec.Consumers = kept.Spec.Consumers[:1]
	wish.Exposures[0] = kept
	wish = crowd(wish)

	got := converge(t, e, wish)
	assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, firstGrant), "withdrawn")
	assert.Nil(t, get(t, c, "VirtualService", gateways, firstGrant))
	rules, _, err := unstructured.NestedSlice(get(t, c, "AuthorizationPolicy", gateways, secondGrant).Object, "spec", "rules")
	require.NoError(t, err)
	assert.Len(t, rules, 1, "a consumer less")
	assert.Len(t, got.InForce.Exposures, 1)
	assert.Equal(t, FormNone, got.Verdicts[keys(t, "Exposure/bookinfo/crowd-0")[0]].Form)
	why := refused(got)
	assert.Equal(t, api.CauseClusterNotReady, why["Exposure/bookinfo/crowd-0"])
	assert.Equal(t, api.CauseClusterNotReady, why["Mesh/c2"], "it is the boundary that is full")
	assert.ErrorContains(t, problemOf(got, "Mesh/c2"), "has no room for all that is declared")

	c.Writes()
	assert.Zero(t, converge(t, e, wish).Writes, "the refusal is stable")
	assert.Empty(t, c.Writes())

	wish.Exposures = wish.Exposures[:1]
	assert.Empty(t, refused(converge(t, e, wish)), "and ends with what caused it")
	converge(t, e, Spec{})
	for ref := range c.Refs() {
		assert.NotContains(t, ref.Name, "federat")
	}
}

func problemOf(c Convergence, key string) error {
	for k, v := range c.Verdicts {
		if k.String() == key && len(v.Problems) > 0 {
			return fmt.Errorf("%s", v.Problems[0].Reason)
		}
	}
	return nil
}

func TestTheFirstWishIsTooLong(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	got := converge(t, e, crowd(spec))
	assert.Zero(t, got.Writes)
	assert.Equal(t, before, c.Refs())

	var long *inventory.TooLongError
	_, err := e.Apply(t.Context(), crowd(spec))
	require.ErrorAs(t, err, &long)
	assert.Empty(t, c.Writes(), "an apply takes a wish whole or not at all")
}

// full is an API server that takes no inventory any more, as one whose store
// draws the line earlier.
type full struct{ kube.Client }

func (f full) Put(_ context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	tooLong := field.ErrorList{field.TooLong(field.NewPath(""), "", 1<<20)}
	return nil, fmt.Errorf("update %s: %w", kube.RefOf(o), apierrors.NewInvalid(o.GroupVersionKind().GroupKind(), o.GetName(), tooLong))
}

// Not even a cluster in which the inventory cannot be written at all keeps
// anything in force: the inventory as it stands lists whatever goes.
func TestAWithdrawalNeedsNoRoom(t *testing.T) {
	for name, withdraw := range map[string]func(e *Engine, spec, rest Spec) error{
		"converge": func(e *Engine, _, rest Spec) error { _, err := e.Converge(t.Context(), gateways, rest); return err },
		"cancel": func(e *Engine, spec, _ Spec) error {
			_, err := e.Cancel(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/reviews-v2"), keptBy(inventory.KeeperController))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			converge(t, e, spec)
			hindered, err := newEngine(full{c})
			require.NoError(t, err)
			rest := spec
			rest.Exposures = spec.Exposures[1:]
			var long *inventory.TooLongError
			require.ErrorAs(t, withdraw(hindered, spec, rest), &long, "it is said that nothing could be written down")
			assert.Nil(t, get(t, c, "AuthorizationPolicy", gateways, firstGrant))
			assert.Nil(t, get(t, c, "VirtualService", gateways, firstGrant))
			assert.NotNil(t, get(t, c, "AuthorizationPolicy", gateways, secondGrant))

			assert.Empty(t, refused(converge(t, e, rest)))
			c.Writes()
			assert.Zero(t, converge(t, e, rest).Writes)
		})
	}
}
