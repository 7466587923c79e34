package verify_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
	"github.com/meshfed/meshfed/federator/internal/verify"
	"github.com/meshfed/meshfed/federator/mutation"
)

// stands puts objects into a cluster beside those of the owners.
func stands(t *testing.T, spec api.Spec, objects []*unstructured.Unstructured) verify.Input {
	t.Helper()
	wanted, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	input := verify.Input{Spec: spec, Wanted: wanted, Objects: decode(t, owners)}
	for _, o := range objects {
		input.Objects = append(input.Objects, *o)
	}
	return input
}

// wishes are both sides of the seed, c1 once more with half of what it consumes
// left at home, and c2 with an entrance for each of its peers.
func wishes(t *testing.T) map[string]api.Spec {
	t.Helper()
	split := seed(t, "c1").Spec
	for i := range split.Consumptions {
		split.Consumptions[i].Spec.Routes = []api.Route{{To: []api.Destination{
			{Target: api.TargetLocal, Subset: "v1", Weight: 50}, {Target: api.TargetRemote, Weight: 50},
		}}}
	}
	entrances, err := api.Load("../../testdata/entrances/c2.yaml")
	require.NoError(t, err)
	return map[string]api.Spec{"entrances": entrances, "c1": seed(t, "c1").Spec, "c2": seed(t, "c2").Spec, "c1, half": split}
}

// withdrawals are ways to wish for less.
func withdrawals() []func(*api.Spec) {
	return []func(*api.Spec){
		func(s *api.Spec) { s.Exposures, s.Consumptions = nil, nil },
		func(s *api.Spec) { s.Exposures = s.Exposures[:max(0, len(s.Exposures)-1)] },
		func(s *api.Spec) { s.Consumptions = s.Consumptions[:max(0, len(s.Consumptions)-1)] },
		func(s *api.Spec) {
			// The exposures are others' as well: they are copied before they change.
			s.Exposures = slices.Clone(s.Exposures)
			for i := range s.Exposures {
				s.Exposures[i].Spec.Consumers = s.Exposures[i].Spec.Consumers[:1]
			}
		},
	}
}

func rendered(t *testing.T, spec api.Spec) []*unstructured.Unstructured {
	t.Helper()
	objects, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	return objects
}

// states are what an engine makes of a wish: at once, or, for a fault in what
// happens over time, when less is wished for.
func states(t *testing.T, spec api.Spec, m mutation.Mutation) []verify.Input {
	t.Helper()
	if !m.Lasting {
		return []verify.Input{stands(t, spec, m.New()(rendered(t, spec)))}
	}
	var all []verify.Input
	for _, withdraw := range withdrawals() {
		transform, less := m.New(), spec
		transform(rendered(t, spec))
		withdraw(&less)
		all = append(all, stands(t, less, transform(rendered(t, less))))
	}
	return all
}

// Whatever the suite's broken engines leave behind is found from the objects
// alone, whether it shows in traffic or not; and nothing is found where the
// engine is sound.
func TestEveryMutationOfTheObjectsIsFound(t *testing.T) {
	for _, m := range mutation.All() {
		t.Run(m.Name, func(t *testing.T) {
			found := 0
			for name, spec := range wishes(t) {
				for _, input := range states(t, spec, m) {
					findings := ofObjects(verify.Check(input))
					assert.Equal(t, differs(t, input), len(findings) > 0, "%s: %v", name, findings)
					found += len(findings)
				}
			}
			assert.Positive(t, found)
		})
	}
}

// differs says whether the cluster holds other objects than are wanted.
func differs(t *testing.T, input verify.Input) bool {
	t.Helper()
	there := input.Objects[len(decode(t, owners)):]
	if len(there) != len(input.Wanted) {
		return true
	}
	wanted := map[string]*unstructured.Unstructured{}
	for _, o := range input.Wanted {
		wanted[o.GetKind()+o.GetNamespace()+"/"+o.GetName()] = o
	}
	for _, o := range there {
		if w := wanted[o.GetKind()+o.GetNamespace()+"/"+o.GetName()]; w == nil || !assert.ObjectsAreEqual(w.Object, o.Object) {
			return true
		}
	}
	return false
}
