package deploy_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/crd"
	"github.com/meshfed/meshfed/federator/deploy"
	"github.com/meshfed/meshfed/federator/internal/access"
)

const chartDir = "../../charts/federator"

var update = flag.Bool("update", false, "rewrite the chart's rights and definitions")

// The chart's rules and definitions are copies, because Helm reads nothing beside
// the chart.
func TestTheChartHoldsTheGeneratedRightsAndDefinitions(t *testing.T) {
	for _, at := range access.Places() {
		want, err := yaml.Marshal(access.Rules(at, "{{ .Values.meshConfig }}"))
		require.NoError(t, err)
		same(t, filepath.Join(chartDir, "rights", string(at)+".yaml"), want)
	}
	definitions, err := crd.Manifest()
	require.NoError(t, err)
	same(t, filepath.Join(chartDir, "crds", "definitions.yaml"), definitions)
}

func same(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, want, 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "%s is stale: go test ./federator/deploy -update", file)
}

// files are those of the chart as helm install renders them, by its own library.
func files(t *testing.T, namespace string, values map[string]any) (map[string]string, error) {
	t.Helper()
	chart, err := loader.LoadDir(chartDir)
	require.NoError(t, err)
	with, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: "federator", Namespace: namespace}, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, with)
}

// helm are the objects that helm install makes.
func helm(t *testing.T, namespace string, values map[string]any) (map[string]*unstructured.Unstructured, error) {
	t.Helper()
	files, err := files(t, namespace, values)
	if err != nil {
		return nil, err
	}
	out := map[string]*unstructured.Unstructured{}
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") { // which Helm prints
			continue
		}
		for doc := range strings.SplitSeq(text, "\n---") {
			raw, err := yaml.YAMLToJSON([]byte(doc))
			require.NoError(t, err, doc)
			if string(raw) == "null" {
				continue
			}
			o := &unstructured.Unstructured{}
			require.NoError(t, o.UnmarshalJSON(raw), doc)
			out[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = o
		}
	}
	return out, nil
}

func TestTheChartRendersTheManifest(t *testing.T) {
	cases := map[string]struct {
		options deploy.Options
		values  map[string]any
	}{
		"as it is": {deploy.Options{}, map[string]any{}},
		"everything else": {
			deploy.Options{Namespace: "fed", GatewayNamespace: "gw", RootNamespace: "root", MeshConfig: "istio-canary", Namespaces: []string{"a", "b"}, Replicas: 2},
			map[string]any{"gatewayNamespace": "gw", "rootNamespace": "root", "meshConfig": "istio-canary", "watchNamespaces": []any{"a", "b"}, "replicas": 2},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			namespace := c.options.Namespace
			if namespace == "" {
				namespace = "federator-system"
			}
			c.values["image"] = image
			got, err := helm(t, namespace, c.values)
			require.NoError(t, err)
			want := map[string]*unstructured.Unstructured{}
			for _, o := range objects(t, c.options) {
				// Helm makes the namespace and the definitions in ways of its own.
				if o.GetKind() != "Namespace" && o.GetKind() != "CustomResourceDefinition" {
					want[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = o
				}
			}
			require.Len(t, got, len(want))
			for key, o := range want {
				require.Contains(t, got, key)
				assert.Equal(t, o.Object, got[key].Object, key)
			}
		})
	}
}

// Without the controller nobody withdraws what it has made: it goes last.
func TestTheNotesSayInWhichOrderItIsTakenAway(t *testing.T) {
	rendered, err := files(t, "fed", map[string]any{"image": image, "gatewayNamespace": "gw"})
	require.NoError(t, err)
	notes := rendered["federator/templates/NOTES.txt"]
	at := -1
	for _, step := range []string{"kubectl delete meshes --all", "configmap/federator-inventory -n gw", "helm uninstall federator -n fed", "federator cancel --controller-gone"} {
		next := strings.Index(notes, step)
		require.Greater(t, next, at, step)
		at = next
	}
}

// SAD PATHS
func TestTheChartRefusesValuesItDoesNotKnow(t *testing.T) {
	for name, values := range map[string]map[string]any{
		"no image":         {},
		"unknown value":    {"image": image, "gatewayNamespce": "x"},
		"odd namespace":    {"image": image, "gatewayNamespace": "*"},
		"no instance":      {"image": image, "replicas": 0},
		"a right too many": {"image": image, "watchNamespaces": []any{"*"}},
	} {
		_, err := helm(t, "federator-system", values)
		assert.Error(t, err, name)
	}
}
