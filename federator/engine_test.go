package federator

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

func keys(t *testing.T, names ...string) []api.Key {
	t.Helper()
	out := make([]api.Key, len(names))
	for i, n := range names {
		var err error
		out[i], err = api.ParseKey(n)
		require.NoError(t, err)
	}
	return out
}

func TestASecondApplyWritesNothing(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, name)
			first, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			assert.Len(t, c.Writes(), first.Writes)
			assert.Positive(t, first.Writes)

			second, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			assert.Empty(t, c.Writes())
			assert.Zero(t, second.Writes)
			assert.False(t, second.Plan.HasChanges())
			assert.Empty(t, second.Plan.Effects)
		})
	}
}

func TestDryRunsWriteNothingAndSayWhatWouldHappen(t *testing.T) {
	for _, mode := range []DryRun{DryRunClient, DryRunServer} {
		c, e, spec := setup(t, "c2")
		got, err := e.Apply(t.Context(), spec, mode)
		require.NoError(t, err)
		assert.Empty(t, c.Writes())
		assert.True(t, got.DryRun)
		assert.Equal(t, len(got.Plan.Changes), got.Plan.Count(ActionCreate))
	}
}

func TestCancelLeavesNoTraceAndTouchesNothingElse(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, name)
			before := c.Refs()
			_, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			_, err = e.Cancel(t.Context(), spec)
			require.NoError(t, err)
			assert.Equal(t, before, c.Refs())

			again, err := e.Cancel(t.Context(), spec)
			require.NoError(t, err)
			assert.Zero(t, again.Writes)
		})
	}
}

func TestCancelOfOneExposureKeepsTheOther(t *testing.T) {
	c, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	c.Writes()

	got, err := e.Cancel(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/ratings"))
	require.NoError(t, err)
	assert.Nil(t, get(t, c, "VirtualService", "istio-private-gateways", "federation-expose-bookinfo-ratings"))
	assert.Nil(t, get(t, c, "AuthorizationPolicy", "istio-private-gateways", "federation-expose-bookinfo-ratings"))
	assert.NotNil(t, get(t, c, "Gateway", "istio-private-gateways", "federation-ingress"))
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", "istio-private-gateways", "federation-ingress-default-deny"))
	assert.Equal(t, 4, got.Writes, "inventory, route, grant, inventory")

	rest := spec.Without(mustSelect(t, spec, "Exposure/bookinfo/ratings"))
	again, err := e.Apply(t.Context(), rest)
	require.NoError(t, err)
	assert.Zero(t, again.Writes, "cancel leaves exactly what the shorter spec asks for")
}

func TestCancelWorksWithoutTheOwnersObjects(t *testing.T) {
	c, e, spec := setup(t, "c2")
	before := c.Refs()
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	secret := kube.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "istio-private-gateways", Name: "c2-example-com-certs"}
	o, err := c.Get(t.Context(), secret)
	require.NoError(t, err)
	_, err = c.Delete(t.Context(), secret, o.GetUID())
	require.NoError(t, err)

	_, err = e.Cancel(t.Context(), spec)
	require.NoError(t, err)
	delete(before, secret)
	assert.Equal(t, before, c.Refs())
}

func TestCancelLeavesTheDriftOfOthersAlone(t *testing.T) {
	c, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	vs := get(t, c, "VirtualService", "istio-private-gateways", "federation-expose-bookinfo-ratings")
	_, err = c.Delete(t.Context(), kube.RefOf(vs), vs.GetUID())
	require.NoError(t, err)

	_, err = e.Cancel(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/reviews-v2"))
	require.NoError(t, err)
	assert.Nil(t, get(t, c, "VirtualService", "istio-private-gateways", "federation-expose-bookinfo-ratings"))
}

func TestAConflictOverASharedObjectDoesNotStopACancel(t *testing.T) {
	c, e, spec := setup(t, "c1")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	gw := get(t, c, "Gateway", "istio-private-gateways", "federation-egress")
	gw.SetManagedFields(nil)
	gw.SetResourceVersion("")
	require.NoError(t, unstructured.SetNestedField(gw.Object, "other", "spec", "selector", "istio"))
	c.Seize("bob", gw)

	got, err := e.Cancel(t.Context(), mustSelect(t, spec, "Consumption/default/ratings"))
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, []string{"bob"}, conflict.Managers)
	assert.Positive(t, got.Writes)
	assert.Nil(t, get(t, c, "VirtualService", "default", "federation-ratings"))
	assert.Nil(t, get(t, c, "AuthorizationPolicy", "istio-private-gateways", "federation-consume-default-ratings"))

	status, err := e.Status(t.Context(), mustSelect(t, spec, "Consumption/default/reviews"))
	require.NoError(t, err)
	assert.True(t, status.Unfinished, "the shared object still waits")
}

func TestWhatTheSpecNoLongerRendersIsPruned(t *testing.T) {
	c, e, spec := setup(t, "c1")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), mustSelect(t, spec, "Consumption/default/reviews"))
	require.NoError(t, err)
	assert.Nil(t, get(t, c, "VirtualService", "default", "federation-ratings"))
	assert.Nil(t, get(t, c, "Service", "default", "ratings"), "the placeholder goes with its consumption")
	dr := get(t, c, "DestinationRule", "istio-private-gateways", "federation-egress")
	subsets, _, _ := unstructured.NestedSlice(dr.Object, "spec", "subsets")
	assert.Len(t, subsets, 1)
	assert.NotNil(t, get(t, c, "Service", "default", "reviews"), "the owner's Service is not ours")
}

func TestConsumersMoveBackFirstAndGatewaysCloseLast(t *testing.T) {
	c, e, spec := setup(t, "c1")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	c.Writes()
	_, err = e.Cancel(t.Context(), spec)
	require.NoError(t, err)

	var order []string
	for _, w := range c.Writes() {
		if w.Verb == "delete" && (len(order) == 0 || order[len(order)-1] != w.Ref.Kind+" "+w.Ref.Namespace) {
			order = append(order, w.Ref.Kind+" "+w.Ref.Namespace)
		}
	}
	assert.Equal(t, "VirtualService default", order[0])
	assert.Equal(t, []string{"AuthorizationPolicy istio-private-gateways", "ConfigMap istio-private-gateways"}, order[len(order)-2:])
}

func TestDriftIsFoundAndMended(t *testing.T) {
	c, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	gone := get(t, c, "AuthorizationPolicy", "istio-private-gateways", "federation-ingress-default-deny")
	_, err = c.Delete(t.Context(), kube.RefOf(gone), gone.GetUID())
	require.NoError(t, err)
	c.Writes()

	status, err := e.Status(t.Context(), spec)
	require.NoError(t, err)
	assert.False(t, status.InSync)
	_, err = e.Apply(t.Context(), spec)
	require.NoError(t, err)
	assert.NotNil(t, get(t, c, "AuthorizationPolicy", "istio-private-gateways", "federation-ingress-default-deny"))
	status, err = e.Status(t.Context(), spec)
	require.NoError(t, err)
	assert.True(t, status.InSync)
	for _, d := range status.Declarations {
		assert.Equal(t, StateApplied, d.State, d.Declaration)
	}
}

func TestAnotherManagersFieldIsAConflictAndStaysAsItIs(t *testing.T) {
	c, e, spec := setup(t, "c2")
	theirs := objects(t, `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: federation-ingress
  namespace: istio-private-gateways
  labels: {app.kubernetes.io/managed-by: federator, federation.meshfed.io/mesh: c2}
spec: {selector: {istio: something-else}, servers: []}
`)[0]
	_, err := c.ApplyAs("kubectl", theirs, false)
	require.NoError(t, err)
	c.Writes()

	_, err = e.Apply(t.Context(), spec)
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, "federation-ingress", conflict.Object.Name)
	assert.Equal(t, []string{"kubectl"}, conflict.Managers)
	assert.NotEmpty(t, conflict.Fields)
	assert.Empty(t, c.Writes(), "nothing is written when the plan already shows a conflict")
}

func TestAnObjectOfTheSameNameThatIsNotOursIsAConflict(t *testing.T) {
	c, e, spec := setup(t, "c2")
	foreign := objects(t, `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: federation-ingress, namespace: istio-private-gateways}}`)[0]
	_, err := c.ApplyAs("kubectl", foreign, false)
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), spec)
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Contains(t, err.Error(), "not this mesh's")
}

// Either sign is enough to spare an object: another UID (somebody deleted ours
// and made a copy, labels and all), or the missing labels.
func TestCancelSparesAnObjectThatWasReplaced(t *testing.T) {
	for name, labelled := range map[string]bool{"without our labels": false, "as a copy with our labels": true} {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			_, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			vs := get(t, c, "VirtualService", "istio-private-gateways", "federation-expose-bookinfo-ratings")
			_, err = c.Delete(t.Context(), kube.RefOf(vs), vs.GetUID())
			require.NoError(t, err)
			if !labelled {
				vs.SetLabels(nil)
			}
			vs.SetManagedFields(nil)
			vs.SetResourceVersion("")
			_, err = c.ApplyAs("kubectl", vs, false)
			require.NoError(t, err)

			got, err := e.Cancel(t.Context(), spec)
			require.NoError(t, err)
			assert.NotNil(t, get(t, c, "VirtualService", "istio-private-gateways", "federation-expose-bookinfo-ratings"))
			require.Len(t, got.Left, 1)
			assert.Equal(t, vs.GetName(), got.Left[0].Name)
		})
	}
}

func TestTwoEnginesAtOnceAreKeptApart(t *testing.T) {
	c, e, spec := setup(t, "c2")
	v, err := e.look(t.Context(), spec)
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/ratings"))
	require.NoError(t, err)
	c.Writes()
	_, err = e.carryOut(t.Context(), spec, v, applyOptions{})
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Empty(t, c.Writes())
}

func TestAnInventoryOfAnotherMeshIsNotTouched(t *testing.T) {
	_, e, spec := setup(t, "c2")
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	spec.Mesh.Name = "other"
	_, err = e.Apply(t.Context(), spec)
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Contains(t, err.Error(), "belongs to mesh c2")
}

func TestThePlanSaysWhoGainsAndLosesWhat(t *testing.T) {
	_, e, spec := setup(t, "c2")
	p, err := e.Plan(t.Context(), mustSelect(t, spec, "Exposure/bookinfo/reviews-v2"))
	require.NoError(t, err)
	require.Len(t, p.Effects, 1)
	assert.Equal(t, "peer c1 (spiffe://c1.example.com/istio-private-egressgateway) gains GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2", p.Effects[0].Sentence)
}

func TestATransformBreaksTheEngineOnPurpose(t *testing.T) {
	c, e, spec := setup(t, "c2", WithTransform(func(in []*unstructured.Unstructured) []*unstructured.Unstructured {
		return slices.DeleteFunc(in, func(o *unstructured.Unstructured) bool { return o.GetKind() == "AuthorizationPolicy" })
	}))
	_, err := e.Apply(t.Context(), spec)
	require.NoError(t, err)
	for ref := range maps.Keys(c.Refs()) {
		assert.NotEqual(t, "AuthorizationPolicy", ref.Kind)
	}
}

func TestAnUnknownSelectionIsAnError(t *testing.T) {
	_, _, spec := setup(t, "c2")
	_, err := spec.Select(keys(t, "Exposure/bookinfo/nope")...)
	assert.ErrorContains(t, err, "no such exposure")
	for _, bad := range []string{"", "Exposure/x", "Peer/a/b", "Exposure//x", "exposure/a/b"} {
		_, err := api.ParseKey(bad)
		assert.Error(t, err, fmt.Sprintf("%q", bad))
	}
}
