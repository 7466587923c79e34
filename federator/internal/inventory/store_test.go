package inventory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
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

const home = "gateways"

// wish has n exposures, each for three peers and with a path below its prefix
// for each of them; name spells what no compression shortens.
func wish(n int, name func(i int) string) api.Spec {
	spec := api.Spec{}
	spec.Mesh.Name = "c2"
	for i := range n {
		e := api.Exposure{Spec: api.ExposureSpec{Service: api.Service{Name: name(i), Port: 9080, Subset: "v2"},
			Path: "/" + name(i) + "/"}}
		e.Name, e.Namespace = name(i), fmt.Sprintf("team-%d", i%100)
		for k := range 3 {
			e.Spec.Consumers = append(e.Spec.Consumers, api.Consumer{Peer: fmt.Sprintf("c%d", (i+k)%100), Methods: []string{"GET", "POST"}, Paths: []string{"v1/items/"}})
		}
		spec.Exposures = append(spec.Exposures, e)
	}
	return spec
}

// applying is the inventory in the midst of an apply, at its longest: both
// wishes, and two objects of each exposure, with UIDs as an API server gives them.
func applying(random *rand.Rand, before, now api.Spec) inventory.Inventory {
	inv := inventory.Inventory{Mesh: "c2", Phase: inventory.PhaseApplying, Applied: &before, Intended: &now}
	for _, e := range now.Exposures {
		for kind, role := range map[string]render.Role{"VirtualService": render.RoleRoute, "AuthorizationPolicy": render.RoleGrant} {
			inv.Items = append(inv.Items, inventory.Item{Role: role, UID: uid(random),
				Ref: kube.Ref{APIVersion: "networking.istio.io/v1", Kind: kind, Namespace: home, Name: "federation-expose-" + e.Namespace + "-" + e.Name}})
		}
	}
	return inv
}

func uid(random *rand.Rand) types.UID {
	text := fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())
	return types.UID(strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-"))
}

func TestTheInventoryOfFiveThousandExposuresFits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	spec := wish(5000, func(i int) string { return fmt.Sprintf("service-%d", i) })
	inv := applying(random, spec, spec)
	require.NoError(t, inv.Room(home))
	c := kubefake.New()
	_, err := inv.Save(t.Context(), c, home)
	require.NoError(t, err)
	t.Logf("%d bytes", stored(t, c))
	assert.Less(t, stored(t, c), 1<<20)
	got, err := inventory.Load(t.Context(), c, home, "c2")
	require.NoError(t, err)
	assert.True(t, got.Equal(inv), "what is read is what was written")
}

// stored counts as the API server does.
func stored(t *testing.T, c kube.Client) int {
	t.Helper()
	o, err := c.Get(t.Context(), kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: home, Name: inventory.Name})
	require.NoError(t, err)
	require.NotContains(t, o.Object, "data")
	data, _, err := unstructured.NestedMap(o.Object, "binaryData")
	require.NoError(t, err)
	n := 0
	for _, v := range data {
		var raw []byte
		text, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &raw), "binaryData is base64")
		n += len(raw)
	}
	return n
}

func TestAnInventoryOfTheOldFormIsUnderstoodAndRewritten(t *testing.T) {
	spec := wish(3, func(i int) string { return fmt.Sprintf("service-%d", i) })
	inv := applying(rand.New(rand.NewPCG(1, 2)), spec, spec)
	raw, err := json.MarshalIndent(inv, "", " ")
	require.NoError(t, err)
	c := kubefake.New(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": inventory.Name, "namespace": home},
		"data": map[string]any{"inventory.json": string(raw)},
	}})
	got, err := inventory.Load(t.Context(), c, home, "c2")
	require.NoError(t, err)
	assert.True(t, got.Equal(inv))
	_, err = got.Save(t.Context(), c, home)
	require.NoError(t, err)
	assert.NotZero(t, stored(t, c))
	got, err = inventory.Load(t.Context(), c, home, "c2")
	require.NoError(t, err)
	assert.True(t, got.Equal(inv))
}

// SAD PATHS: what cannot be read is never taken for nothing.
func TestAnInventoryThatCannotBeReadIsAnError(t *testing.T) {
	for name, content := range map[string]map[string]any{
		"no key":           {},
		"another key":      {"data": map[string]any{"inventory.yaml": "{}"}},
		"not JSON":         {"data": map[string]any{"inventory.json": "{"}},
		"an unknown field": {"data": map[string]any{"inventory.json": `{"mesh": "c2", "more": 1}`}},
		"not base64":       {"binaryData": map[string]any{"inventory.json.gz": "%"}},
		"not gzip":         {"binaryData": map[string]any{"inventory.json.gz": "e30="}},
		// {} compressed, less its checksum.
		"cut short": {"binaryData": map[string]any{"inventory.json.gz": "H4sIAAAAAAAA/6quBQA="}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": inventory.Name, "namespace": home}}}
			for key, v := range content {
				o.Object[key] = v
			}
			_, err := inventory.Recall(t.Context(), kubefake.New(o), home)
			assert.ErrorContains(t, err, "it was edited or made by another version")
		})
	}
}

// A wish has room only if a withdrawal from it has, and if the UIDs of all that
// it makes have: an apply must not succeed and then be the last one.
func TestAWishHasRoomOnlyIfItsWithdrawalHas(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	odd := func(int) string { return strings.ReplaceAll(string(uid(random)), "-", "") }
	for name, exposures := range map[string]int{"fits twice": 2000, "fits once": 6000, "does not fit": 20_000} {
		t.Run(name, func(t *testing.T) {
			spec := wish(exposures, odd)
			inv := applying(random, spec, spec)
			inv.Applied = nil
			for i := range inv.Items {
				inv.Items[i].UID = ""
			}
			room := inv.Room(home)
			c := kubefake.New()
			_, saved := inv.Save(t.Context(), c, home)
			var long *inventory.TooLongError
			if name == "fits twice" {
				require.NoError(t, room)
				done := applying(random, spec, spec)
				_, err := done.Save(t.Context(), kubefake.New(), home)
				require.NoError(t, err)
				return
			}
			require.ErrorAs(t, room, &long)
			assert.ErrorContains(t, room, "ConfigMap "+home)
			if name == "fits once" {
				assert.NoError(t, saved)
				return
			}
			require.ErrorAs(t, saved, &long)
			assert.Empty(t, c.Writes(), "what is too long is not even sent")
		})
	}
}
