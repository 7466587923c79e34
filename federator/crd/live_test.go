package crd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api/apitest"
	"github.com/meshfed/meshfed/federator/crd"
)

// serveLimit bounds how long the API server may take to serve a new kind.
const serveLimit = 30 * time.Second

// TestTheAPIServerJudgesAsTheCommandLineDoes sends every good and bad
// declaration to a real API server, as a rehearsal: what is wrong with one
// declaration alone must be refused there too, by schema or by CEL, and what is
// right must pass. What is wrong only beside others is the controller's.
func TestTheAPIServerJudgesAsTheCommandLineDoes(t *testing.T) {
	client := liveCluster(t)
	install(t, client)
	require.Empty(t, judge(t, client, apitest.Valid), "the good declarations")
	for name, c := range apitest.Bad() {
		t.Run(name, func(t *testing.T) {
			refusals := judge(t, client, c.Text())
			if beyondOne()[name] {
				assert.Empty(t, refusals)
				return
			}
			assert.NotEmpty(t, refusals, "the command line refuses it: %s", c.Want)
		})
	}
}

// beyondOne are the sad paths that no single object shows.
func beyondOne() map[string]bool {
	out := map[string]bool{}
	for _, name := range []string{
		"unknown peer", "no client identity", "no server identity", "no address", "no sni", "peer has our own host",
		"own entrance by our own host", "own entrance by a peer's name", "own entrance by a local name",
		"own entrance, everybody's roots", "own entrance, everybody's by name",
		"two entrances by one host", "two entrances, one secret", "two entrances, one set of roots",
		"no ingress but an exposure", "no egress but a consumer", "consumed path not offered",
		// Read by the API server before anything is judged: a cluster-wide kind has
		// no namespace, and YAML's own rules are the client's.
		"peer with a namespace", "duplicate key",
	} {
		out[name] = true
	}
	return out
}

func liveCluster(t *testing.T) dynamic.Interface {
	t.Helper()
	path := os.Getenv("MESHFED_KUBECONFIG")
	if path == "" {
		t.Skip("MESHFED_KUBECONFIG names no kubeconfig of a running cluster")
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err)
	cfg.QPS = -1
	client, err := dynamic.NewForConfig(cfg)
	require.NoError(t, err)
	return client
}

// install brings the definitions, and waits until the API server serves them.
// They stay: another user of the cluster may need them.
func install(t *testing.T, client dynamic.Interface) {
	t.Helper()
	definitions, err := crd.Definitions()
	require.NoError(t, err)
	for _, d := range definitions {
		raw, err := yaml.Marshal(d)
		require.NoError(t, err)
		o := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal(raw, &o.Object))
		unstructured.RemoveNestedField(o.Object, "status")
		unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
		definition := crd.GroupVersion().WithResource("customresourcedefinitions")
		definition.Group, definition.Version = "apiextensions.k8s.io", "v1"
		_, err = client.Resource(definition).Apply(t.Context(), d.Name, o, metav1.ApplyOptions{FieldManager: "federator-test", Force: true})
		require.NoError(t, err)
		kind := client.Resource(crd.GroupVersion().WithResource(d.Spec.Names.Plural))
		// Only asking tells whether a kind is served.
		require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, serveLimit, true, func(ctx context.Context) (bool, error) {
			_, err := kind.List(ctx, metav1.ListOptions{Limit: 1})
			return err == nil, nil
		}), "the API server does not serve %s", d.Name)
	}
}

// judge rehearses the creation of every document and returns the refusals.
func judge(t *testing.T, client dynamic.Interface, text string) []string {
	t.Helper()
	var refusals []string
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return refusals
		}
		require.NoError(t, err)
		resource := crd.GroupVersion().WithResource(strings.ToLower(o.GetKind()) + "s")
		if o.GetKind() == "Mesh" {
			resource.Resource = "meshes"
		}
		namespace := ""
		if o.GetKind() == "Exposure" || o.GetKind() == "Consumption" {
			namespace = "default"
			if o.GetNamespace() == "" {
				refusals = append(refusals, "kubectl would choose a namespace; the command line does not guess")
			}
			o.SetNamespace(namespace)
		} else {
			o.SetNamespace("")
		}
		_, err = client.Resource(resource).Namespace(namespace).Create(t.Context(), o,
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
		if err != nil {
			refusals = append(refusals, err.Error())
		}
	}
}
