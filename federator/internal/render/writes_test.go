package render_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
)

func TestRenderingMakesExactlyTheKindsThatItSays(t *testing.T) {
	made := map[render.Write]bool{}
	for _, name := range []string{"c1", "c2"} {
		spec, err := api.Load("../../testdata/seed/" + name + ".yaml")
		require.NoError(t, err)
		objects, err := render.Objects(spec, render.Facts{})
		require.NoError(t, err)
		for _, o := range objects {
			w := render.Write{Role: render.RoleOf(o), APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Place: render.PlaceServices}
			if o.GetNamespace() == "istio-private-gateways" {
				w.Place = render.PlaceGateways
			}
			made[w] = true
		}
	}
	said := map[render.Write]bool{}
	for _, w := range render.Writes() {
		said[w] = true
	}
	assert.Equal(t, said, made)
	assert.Len(t, said, len(render.Writes()), "no line twice")
}
