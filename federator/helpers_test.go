package federator

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

// The owners' side of the seed's two clusters, before any federation.
const (
	meshConfigYAML = `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"}
---
apiVersion: v1
kind: Service
metadata: {name: istio-private-ingressgateway, namespace: istio-private-gateways}
spec: {selector: {istio: private-ingressgateway, app: istio-private-ingressgateway}, ports: [{port: 15443}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-private-egressgateway, namespace: istio-private-gateways}
spec: {selector: {istio: private-egressgateway, app: istio-private-egressgateway}, ports: [{port: 443}]}
---
`
	cluster1YAML = meshConfigYAML + `
apiVersion: v1
kind: Secret
metadata: {name: c1-example-com-certs, namespace: istio-private-gateways}
data: {tls.crt: YQ==, tls.key: YQ==, ca.crt: YQ==}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {selector: {app: reviews}, ports: [{port: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: default}
spec: {host: reviews, subsets: [{name: v1}, {name: v2}]}
`
	cluster2YAML = meshConfigYAML + `
apiVersion: v1
kind: Secret
metadata: {name: c2-example-com-certs, namespace: istio-private-gateways}
data: {tls.crt: YQ==, tls.key: YQ==, ca.crt: YQ==}
---
apiVersion: v1
kind: Service
metadata: {name: myreviews, namespace: bookinfo}
spec: {selector: {app: reviews}, ports: [{port: 9080}]}
---
apiVersion: v1
kind: Service
metadata: {name: ratings, namespace: bookinfo}
spec: {selector: {app: ratings}, ports: [{port: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: bookinfo}
spec: {host: myreviews, subsets: [{name: v2}, {name: v3}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings, namespace: bookinfo}
spec: {host: ratings.bookinfo.svc.cluster.local, subsets: [{name: v1}]}
`
)

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for doc := range strings.SplitSeq(text, "---\n") {
		if strings.TrimSpace(doc) == "" {
			continue
		}
		raw, err := yaml.YAMLToJSON([]byte(doc))
		require.NoError(t, err)
		o := &unstructured.Unstructured{}
		require.NoError(t, o.UnmarshalJSON(raw))
		out = append(out, o)
	}
	return out
}

// setup makes a fake cluster of the seed and an engine on it.
func setup(t *testing.T, name string, opts ...Option) (*kubefake.Cluster, *Engine, Spec) {
	t.Helper()
	text := map[string]string{"c1": cluster1YAML, "c2": cluster2YAML}[name]
	c := kubefake.New(objects(t, text)...)
	e, err := newEngine(c, opts...)
	require.NoError(t, err)
	spec, err := Load("testdata/seed/" + name + ".yaml")
	require.NoError(t, err)
	return c, e, spec
}

func get(t *testing.T, c kube.Client, kind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	versions := map[string]string{"AuthorizationPolicy": "security.istio.io/v1", "Service": "v1", "ConfigMap": "v1"}
	version := versions[kind]
	if version == "" {
		version = "networking.istio.io/v1"
	}
	o, err := c.Get(context.Background(), kube.Ref{APIVersion: version, Kind: kind, Namespace: namespace, Name: name})
	require.NoError(t, err)
	return o
}

func mustSelect(t *testing.T, s Spec, names ...string) Spec {
	t.Helper()
	out, err := s.Select(keys(t, names...)...)
	require.NoError(t, err)
	return out
}
