package federator

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/federator/internal/kube"
)

// cleanupLimit bounds the removal of the test's namespace.
const cleanupLimit = 10 * time.Second

// liveCluster connects to the API server of a running lab. The test keeps to
// namespaces of its own, mesh config included, so the lab's federation is safe.
func liveCluster(t *testing.T) (kube.Client, *Engine, string) {
	t.Helper()
	path := os.Getenv("MESHFED_KUBECONFIG")
	if path == "" {
		t.Skip("MESHFED_KUBECONFIG names no kubeconfig of a running cluster with Istio's CRDs")
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err)
	engine, err := New(cfg)
	require.NoError(t, err)
	client, err := kube.Dial(cfg)
	require.NoError(t, err)
	return client, engine, "federator-" + strings.ToLower(rand.Text()[:8])
}

// own moves the seed into namespaces of this test.
func own(text, ns string) string {
	return strings.NewReplacer(
		"istio-private-gateways", ns, "istio-system", ns,
		"namespace: default", "namespace: "+ns, "namespace: bookinfo", "namespace: "+ns,
		"istio: private-", "istio: "+ns+"-", ".bookinfo.svc", "."+ns+".svc",
		"c1.example.com", "c1."+ns+".example", "c2.example.com", "c2."+ns+".example",
	).Replace(text)
}

func liveSpec(t *testing.T, name, ns string) Spec {
	t.Helper()
	raw, err := os.ReadFile("testdata/seed/" + name + ".yaml")
	require.NoError(t, err)
	text := strings.Replace(own(string(raw), ns), "spec:\n  host:", "spec:\n  controlPlane: {namespace: "+ns+"}\n  host:", 1)
	spec, err := Parse(name, bytes.NewReader([]byte(text)))
	require.NoError(t, err)
	return spec
}

func TestOnARealAPIServer(t *testing.T) {
	client, engine, base := liveCluster(t)
	for name, setup := range map[string]string{"c1": cluster1YAML, "c2": cluster2YAML} {
		t.Run(name, func(t *testing.T) {
			ns := base + "-" + name
			namespace(t, client, ns)
			for _, o := range objects(t, own(setup, ns)) {
				_, err := client.Apply(t.Context(), o, false)
				require.NoError(t, err)
			}
			spec := liveSpec(t, name, ns)
			before := versions(t, client, ns)

			first, err := engine.Apply(t.Context(), spec)
			require.NoError(t, err)
			assert.Equal(t, len(first.Plan.Changes)+2, first.Writes, "every object once, the inventory twice")
			applied := versions(t, client, ns)

			second, err := engine.Apply(t.Context(), spec)
			require.NoError(t, err)
			assert.Zero(t, second.Writes)
			_, err = engine.Apply(t.Context(), spec, DryRunServer)
			require.NoError(t, err)
			assert.Equal(t, applied, versions(t, client, ns), "resource versions stand still")

			status, err := engine.Status(t.Context(), spec)
			require.NoError(t, err)
			assert.True(t, status.InSync, "%+v", status)

			_, err = engine.Cancel(t.Context(), spec)
			require.NoError(t, err)
			assert.Equal(t, before, versions(t, client, ns))
		})
	}
}

func namespace(t *testing.T, c kube.Client, name string) {
	t.Helper()
	ns := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}}
	made, err := c.Apply(t.Context(), ns, false)
	require.NoError(t, err)
	t.Cleanup(func() {
		// The test's own context is over by the time of its clean-up.
		ctx, cancel := context.WithTimeout(context.Background(), cleanupLimit)
		defer cancel()
		_, err := c.Delete(ctx, kube.RefOf(made), made.GetUID())
		assert.NoError(t, err)
	})
}

// versions maps every object of the kinds we touch to its resourceVersion.
func versions(t *testing.T, c kube.Client, ns string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, kind := range []kube.Ref{
		{APIVersion: "v1", Kind: "Service"}, {APIVersion: "v1", Kind: "ConfigMap"}, {APIVersion: "v1", Kind: "Secret"},
		{APIVersion: "networking.istio.io/v1", Kind: "VirtualService"}, {APIVersion: "networking.istio.io/v1", Kind: "Gateway"},
		{APIVersion: "networking.istio.io/v1", Kind: "DestinationRule"}, {APIVersion: "networking.istio.io/v1", Kind: "ServiceEntry"},
		{APIVersion: "security.istio.io/v1", Kind: "AuthorizationPolicy"},
	} {
		items, err := c.List(t.Context(), kind.APIVersion, kind.Kind, ns)
		require.NoError(t, err)
		for i := range items {
			if items[i].GetName() == "kube-root-ca.crt" || strings.HasPrefix(items[i].GetName(), "istio-ca-") {
				continue // controllers of the cluster make these when they get to it
			}
			out[kube.RefOf(&items[i]).String()] = items[i].GetResourceVersion()
		}
	}
	return out
}
