package mutation_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/mutation"
)

// seed is what the engine renders for the two clusters of the seed, the same
// with a split of every consumption, and one with an entrance for each peer.
func seed(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, name := range []string{"seed/c1.yaml", "seed/c2.yaml", "entrances/c2.yaml"} {
		spec, err := federator.Load(filepath.Join("..", "testdata", name))
		require.NoError(t, err)
		objects, err := federator.Render(spec)
		require.NoError(t, err)
		for _, o := range objects {
			// Two wishes may have objects of one name, which no cluster has.
			o.SetName(o.GetName() + "-" + filepath.Dir(name))
		}
		all = append(all, objects...)
		for i := range spec.Consumptions {
			spec.Consumptions[i].Spec.Routes = []api.Route{{To: []api.Destination{
				{Target: api.TargetLocal, Subset: "v1", Weight: 50}, {Target: api.TargetRemote, Weight: 50},
			}}}
		}
		split, err := federator.Render(spec)
		require.NoError(t, err)
		for _, o := range split {
			if mutation.PartOf(o) == mutation.ConsumerRoute {
				o.SetName(o.GetName() + "-split")
				all = append(all, o)
			}
		}
	}
	return all
}

func copies(all []*unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range all {
		out = append(out, o.DeepCopy())
	}
	return out
}

func TestEveryObjectOfABoundaryIsAPart(t *testing.T) {
	found := map[mutation.Part]bool{}
	for _, o := range seed(t) {
		part := mutation.PartOf(o)
		assert.Contains(t, mutation.Parts(), part, "%s %s", o.GetKind(), o.GetName())
		found[part] = true
	}
	for _, part := range mutation.Parts() {
		assert.True(t, found[part] || part == mutation.Several, "no object is the %s", part)
	}
}

func TestEachMutationChangesItsPartAndNoOther(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutation.All() {
		t.Run(m.Name, func(t *testing.T) {
			assert.False(t, names[m.Name], "a name stands for one fault")
			names[m.Name] = true
			assert.False(t, m.Widens && m.Equivalent != "", "what widens can be told from the original")
			if m.Lasting {
				return
			}
			before := seed(t)
			after := m.New()(copies(before))
			assert.NotEqual(t, before, after, "it changes nothing")
			if m.Part == mutation.Several {
				return
			}
			others := func(all []*unstructured.Unstructured) []*unstructured.Unstructured {
				return slices.DeleteFunc(copies(all), func(o *unstructured.Unstructured) bool { return mutation.PartOf(o) == m.Part })
			}
			assert.Equal(t, others(before), others(after))
		})
	}
	assert.GreaterOrEqual(t, len(names), 40)
}

// A field that nobody has ever left out could be left out unnoticed.
func TestEachFieldThatIsRenderedIsLeftOutByAMutation(t *testing.T) {
	have := map[string]bool{}
	for _, m := range mutation.All() {
		have[m.Name] = true
	}
	want := map[string]bool{}
	for _, o := range seed(t) {
		part := mutation.PartOf(o)
		spec, _, err := unstructured.NestedMap(o.Object, "spec")
		require.NoError(t, err)
		for field := range paths(spec) {
			want[fmt.Sprintf("%s without %s", part, field)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		assert.True(t, have[name], "%s: add it to the removals", name)
	}
}

// paths are the fields of a value, but for one that is alone in its mapping:
// without it nothing is left of that, and it is the mapping that is left out.
func paths(value map[string]any) map[string]bool {
	all := map[string]bool{}
	collect(value, "", all)
	return all
}

func collect(value any, path string, all map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			below := name
			if path != "" {
				below = path + "." + name
			}
			if len(v) > 1 {
				all[below] = true
			}
			collect(inner, below, all)
		}
	case []any:
		for _, inner := range v {
			if _, is := inner.(map[string]any); is {
				collect(inner, path+"[]", all)
			}
		}
	}
}

func TestWhatLastsIsRightAtFirst(t *testing.T) {
	for _, m := range mutation.All() {
		if !m.Lasting {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			all := seed(t)
			once, twice := m.New(), m.New()
			assert.Equal(t, all, once(copies(all)), "the first time nothing is wrong")
			twice(copies(all))
			changed := copies(all)[1:]
			for _, o := range changed {
				require.NoError(t, unstructured.SetNestedField(o.Object, "x", "spec", "x"))
			}
			wrong := len(once(nil)) > 0 || !assert.ObjectsAreEqual(changed, twice(copies(changed)))
			assert.True(t, wrong, "later something is")
		})
	}
}
