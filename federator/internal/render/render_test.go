package render_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// maxGolden keeps golden files readable: nobody reviews a thousand lines.
const maxGolden = 150

// existing are the Services of the seed's first cluster: ratings is not there.
func existing() render.Facts {
	return render.Facts{Services: map[render.Name]render.ServiceFact{
		{Namespace: "default", Name: "reviews"}: {Ports: 1},
	}}
}

func load(t *testing.T, name string) api.Spec {
	t.Helper()
	spec, err := api.Load(filepath.Join("testdata", name))
	require.NoError(t, err)
	return spec
}

func encode(t *testing.T, objects []*unstructured.Unstructured) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, o := range objects {
		raw, err := yaml.Marshal(o.Object)
		require.NoError(t, err)
		out.WriteString("---\n")
		out.Write(raw)
	}
	return out.Bytes()
}

// Every role of every case has a golden file of its own, so that a change to one
// concern shows in one short file.
func TestRendersTheGoldenObjects(t *testing.T) {
	cases := map[string]render.Facts{
		"exposure":    {},
		"entrances":   {},
		"consumption": existing(),
		"multiport":   {Services: map[render.Name]render.ServiceFact{{Namespace: "default", Name: "reviews"}: {Ports: 2}}},
	}
	for name, facts := range cases {
		t.Run(name, func(t *testing.T) {
			objects, err := render.Objects(load(t, name+".in.yaml"), facts)
			require.NoError(t, err)
			for _, role := range render.Roles() {
				part := slices.DeleteFunc(slices.Clone(objects), func(o *unstructured.Unstructured) bool { return render.RoleOf(o) != role })
				golden(t, filepath.Join("testdata", name, string(role)+".yaml"), encode(t, part))
			}
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if len(got) == 0 {
			_ = os.Remove(file)
			return
		}
		require.NoError(t, os.WriteFile(file, got, 0o644))
		return
	}
	want, err := os.ReadFile(file)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	assert.Equal(t, string(want), string(got), "%s; regenerate with -update", file)
	assert.Less(t, strings.Count(string(got), "\n"), maxGolden, "%s is too long to review", file)
}

func TestTheOrderOfDeclarationsDoesNotMatter(t *testing.T) {
	for _, name := range []string{"exposure.in.yaml", "entrances.in.yaml", "consumption.in.yaml"} {
		spec := load(t, name)
		want, err := render.Objects(spec, existing())
		require.NoError(t, err)
		slices.Reverse(spec.Peers)
		slices.Reverse(spec.Exposures)
		slices.Reverse(spec.Consumptions)
		got, err := render.Objects(spec, existing())
		require.NoError(t, err)
		assert.Equal(t, string(encode(t, want)), string(encode(t, got)), name)
	}
}

// Where no peer comes in by the host for all, that host is not answered.
func TestNobodyListensWhereNobodyMayComeIn(t *testing.T) {
	spec := load(t, "entrances.in.yaml")
	spec.Exposures[1].Spec.Consumers = spec.Exposures[1].Spec.Consumers[:2]
	objects, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	text := string(encode(t, objects))
	assert.Contains(t, text, "./c1.c2.example.com")
	assert.NotContains(t, text, "./c2.example.com")
	assert.NotContains(t, text, "- c2.example.com")
	assert.NotContains(t, text, "c5.")
}

func TestNothingDeclaredRendersNothing(t *testing.T) {
	spec := load(t, "exposure.in.yaml")
	spec.Exposures = nil
	objects, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	assert.Empty(t, objects)
}

func TestAGatewayIsDeniedBeforeItListens(t *testing.T) {
	for _, name := range []string{"exposure.in.yaml", "consumption.in.yaml"} {
		objects, err := render.Objects(load(t, name), render.Facts{})
		require.NoError(t, err)
		at := func(role render.Role) int {
			return slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return render.RoleOf(o) == role })
		}
		assert.Zero(t, at(render.RoleDefaultDeny), name)
		assert.Less(t, at(render.RoleDefaultDeny), at(render.RoleListener), name)
		assert.Less(t, at(render.RoleGrant), at(render.RoleListener), name)
	}
}

func TestNoObjectIsWiderThanItsDeclaration(t *testing.T) {
	for _, name := range []string{"exposure.in.yaml", "consumption.in.yaml"} {
		objects, err := render.Objects(load(t, name), render.Facts{})
		require.NoError(t, err)
		text := string(encode(t, objects))
		assert.NotContains(t, text, "AUTO_PASSTHROUGH")
		assert.NotContains(t, text, "insecureSkipVerify: true")
		for _, o := range objects {
			hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hosts")
			for _, h := range hosts {
				assert.NotContains(t, h, "*", "%s %s", o.GetKind(), o.GetName())
			}
			if o.GetKind() == "AuthorizationPolicy" {
				sel, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
				assert.NotEmpty(t, sel, "%s selects a whole namespace", o.GetName())
			}
			if slices.Contains([]string{"VirtualService", "ServiceEntry", "DestinationRule"}, o.GetKind()) {
				to, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "exportTo")
				assert.NotEmpty(t, to, "%s %s is visible everywhere", o.GetKind(), o.GetName())
				assert.NotContains(t, to, "*")
			}
		}
	}
}

func TestEveryObjectSaysWhoseItIs(t *testing.T) {
	for _, name := range []string{"exposure.in.yaml", "consumption.in.yaml"} {
		spec := load(t, name)
		objects, err := render.Objects(spec, render.Facts{})
		require.NoError(t, err)
		seen := map[string]bool{}
		for _, o := range objects {
			assert.True(t, render.Owned(o, spec.Mesh.Name))
			assert.Contains(t, render.Roles(), render.RoleOf(o))
			assert.NotEmpty(t, render.DeclaredBy(o))
			id := o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
			assert.False(t, seen[id], "%s is rendered twice", id)
			seen[id] = true
		}
	}
}

func TestNamesThatJoinAlikeStayApart(t *testing.T) {
	spec := load(t, "exposure.in.yaml")
	one, two := spec.Exposures[0], spec.Exposures[0]
	one.Namespace, one.Name = "a-b", "c"
	two.Namespace, two.Name, two.Spec.Path = "a", "b-c", "/elsewhere/"
	spec.Exposures = []api.Exposure{one, two}
	objects, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	names := map[string]bool{}
	for _, o := range objects {
		if render.RoleOf(o) == render.RoleGrant {
			names[o.GetName()] = true
		}
	}
	assert.Len(t, names, 2)
}

func TestLongNamesStayDNSLabels(t *testing.T) {
	spec := load(t, "exposure.in.yaml")
	e := spec.Exposures[0]
	e.Name = strings.Repeat("x", 63)
	spec.Exposures = []api.Exposure{e}
	objects, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	for _, o := range objects {
		assert.LessOrEqual(t, len(o.GetName()), 63)
	}
}
