package verify_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// owners are the objects beside the declarations that every case has.
const owners = `
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
`

func decode(t *testing.T, text string) []unstructured.Unstructured {
	t.Helper()
	var out []unstructured.Unstructured
	for doc := range strings.SplitSeq(text, "---\n") {
		raw, err := yaml.YAMLToJSON([]byte(doc))
		require.NoError(t, err)
		var o unstructured.Unstructured
		require.NoError(t, o.UnmarshalJSON(raw))
		out = append(out, o)
	}
	return out
}

// seed is one side of the seed and the objects it is rendered to, as they stand
// in a cluster beside those of the owners.
func seed(t *testing.T, name string) verify.Input {
	t.Helper()
	spec, err := api.Load("../../testdata/seed/" + name + ".yaml")
	require.NoError(t, err)
	wanted, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	in := verify.Input{Spec: spec, Wanted: wanted, Objects: decode(t, owners)}
	for _, o := range wanted {
		in.Objects = append(in.Objects, *o.DeepCopy())
	}
	return in
}

// ofObjects are the findings that are not about a gateway's Envoy.
func ofObjects(r verify.Report) []verify.Finding {
	var out []verify.Finding
	for _, f := range r.Findings {
		if f.Kind != verify.GatewayUnseen {
			out = append(out, f)
		}
	}
	return out
}

func TestTheObjectsOfTheWishAndNoOthersGiveNoFinding(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		r := verify.Check(seed(t, name))
		assert.Empty(t, ofObjects(r), name)
		assert.Positive(t, r.Objects)
		assert.False(t, r.Proven(), "nothing is proven of gateways that nobody has looked into")
		assert.Len(t, r.Findings, 2)
	}
}

func TestEveryObjectThatMattersIsAFinding(t *testing.T) {
	cases := map[string]struct {
		side string
		// extra stands in the cluster beside the rest.
		extra string
		// change edits what stands in the cluster.
		change func(o *unstructured.Unstructured)
		kind   verify.Kind
		where  string
		detail string
	}{
		"a grant is wider": {side: "c2", change: in("federation-expose-bookinfo-ratings", "AuthorizationPolicy", func(spec map[string]any) {
			spec["rules"] = []any{map[string]any{}}
		}), kind: verify.ObjectChanged, where: "AuthorizationPolicy istio-private-gateways/federation-expose-bookinfo-ratings", detail: "spec.rules is"},
		"a field is added": {side: "c2", change: in("federation-ingress", "Gateway", func(spec map[string]any) {
			spec["more"] = "x"
		}), kind: verify.ObjectChanged, where: "Gateway istio-private-gateways/federation-ingress", detail: "spec.more is x; declared: nothing"},
		"a policy only rehearses": {side: "c2", change: func(o *unstructured.Unstructured) {
			if o.GetName() == "federation-ingress-default-deny" {
				o.SetAnnotations(map[string]string{"istio.io/dry-run": "true"})
			}
		}, kind: verify.ObjectChanged, where: "AuthorizationPolicy istio-private-gateways/federation-ingress-default-deny", detail: "metadata.annotations.istio.io/dry-run is true; declared: false"},
		"istiod does not look at an object": {side: "c2", change: func(o *unstructured.Unstructured) {
			if o.GetName() == "federation-ingress-default-deny" {
				labels := o.GetLabels()
				labels["istio.io/rev"] = "other"
				o.SetLabels(labels)
			}
		}, kind: verify.ObjectChanged, where: "AuthorizationPolicy istio-private-gateways/federation-ingress-default-deny", detail: "metadata.labels.istio.io/rev is other; declared: nothing"},
		"an object is gone": {side: "c2", change: func(o *unstructured.Unstructured) {
			if o.GetKind() == "Gateway" {
				o.SetKind("Other")
				o.SetLabels(nil)
			}
		}, kind: verify.ObjectMissing, where: "Gateway istio-private-gateways/federation-ingress"},
		"an object carries our labels": {side: "c2", extra: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: x, namespace: team, labels: {app.kubernetes.io/managed-by: federator, federation.meshfed.io/mesh: c2}}
spec: {hosts: [x.example.com]}
`, kind: verify.ObjectExtra, where: "ServiceEntry team/x"},
		"another owner's policy opens the gateway": {side: "c2", extra: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: x, namespace: istio-private-gateways}
spec: {rules: [{}]}
`, kind: verify.ForeignObject, where: "AuthorizationPolicy istio-private-gateways/x"},
		"another owner's policy opens the gateway by a label of its pods": {side: "c2", extra: `
apiVersion: v1
kind: Pod
metadata: {name: in-0, namespace: istio-private-gateways, labels: {istio: private-ingressgateway, app.kubernetes.io/name: edge}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: x, namespace: istio-private-gateways}
spec: {selector: {matchLabels: {app.kubernetes.io/name: edge}}, rules: [{}]}
`, kind: verify.ForeignObject, where: "AuthorizationPolicy istio-private-gateways/x"},
		"somebody else decides": {side: "c2", extra: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: x, namespace: istio-system}
spec: {action: CUSTOM, provider: {name: y}, rules: [{}]}
`, kind: verify.ForeignObject, where: "AuthorizationPolicy istio-system/x"},
		"another owner's listener is on the port": {side: "c2", extra: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: x, namespace: team}
spec: {selector: {istio: private-ingressgateway}, servers: [{port: {number: 15443}}]}
`, kind: verify.ForeignObject, where: "Gateway team/x"},
		"another owner's route hangs on the gateway": {side: "c2", extra: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: x, namespace: istio-private-gateways}
spec: {gateways: [federation-ingress], hosts: [c2.example.com]}
`, kind: verify.ForeignObject, where: "VirtualService istio-private-gateways/x"},
		"Envoy is changed past the API": {side: "c2", extra: `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: x, namespace: istio-system}
spec: {configPatches: []}
`, kind: verify.ForeignObject, where: "EnvoyFilter istio-system/x"},
		"a plugin sees the requests": {side: "c2", extra: `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: x, namespace: istio-private-gateways}
spec: {selector: {matchLabels: {istio: private-ingressgateway}}}
`, kind: verify.ForeignObject, where: "WasmPlugin istio-private-gateways/x"},
		"the peer is spoken to otherwise": {side: "c1", extra: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: team}
spec: {host: "*.example.com"}
`, kind: verify.ForeignObject, where: "DestinationRule team/x"},
		"the egress gateway is spoken to otherwise": {side: "c1", extra: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: istio-private-gateways}
spec: {host: istio-private-egressgateway}
`, kind: verify.ForeignObject, where: "DestinationRule istio-private-gateways/x"},
		"what is exposed is spoken to otherwise": {side: "c2", extra: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: istio-private-gateways}
spec: {host: myreviews.bookinfo.svc.cluster.local, subsets: [{name: v2, labels: {version: v3}}]}
`, kind: verify.ForeignObject, where: "DestinationRule istio-private-gateways/x"},
		"another owner's route hangs on the gateway by its full name": {side: "c2", extra: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: x, namespace: istio-private-gateways}
spec: {gateways: [federation-ingress.istio-private-gateways.svc.cluster.local], hosts: [c2.example.com]}
`, kind: verify.ForeignObject, where: "VirtualService istio-private-gateways/x"},
		"the peer's name leads elsewhere": {side: "c1", extra: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: x, namespace: team}
spec: {hosts: [c2.example.com]}
`, kind: verify.ForeignObject, where: "ServiceEntry team/x"},
		"workloads here answer for the peer": {side: "c1", change: in("ratings", "Service", func(spec map[string]any) {
			spec["selector"] = map[string]any{"app": "x"}
		}), kind: verify.ObjectChanged, where: "Service default/ratings", detail: "selector"},
		"paths are not normalised": {side: "c2", change: func(o *unstructured.Unstructured) {
			if o.GetKind() == "ConfigMap" {
				o.Object["data"] = map[string]any{"mesh": ""}
			}
		}, kind: verify.MeshConfig, where: "ConfigMap istio-system/istio", detail: "BASE"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := seed(t, c.side)
			if c.extra != "" {
				in.Objects = append(in.Objects, decode(t, c.extra)...)
			}
			for i := range in.Objects {
				if c.change != nil {
					c.change(&in.Objects[i])
				}
			}
			found := ofObjects(verify.Check(in))
			require.NotEmpty(t, found)
			for _, f := range found {
				assert.Equal(t, c.kind, f.Kind, "%v", f)
				assert.Equal(t, c.where, f.Where)
				assert.Contains(t, f.Detail, c.detail)
			}
		})
	}
}

// in edits the spec of one object.
func in(name, kind string, edit func(map[string]any)) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if o.GetName() == name && o.GetKind() == kind {
			edit(o.Object["spec"].(map[string]any))
		}
	}
}

// What does not bear on the boundary is nobody's business here.
func TestOtherOwnersObjectsElsewhereGiveNoFinding(t *testing.T) {
	in := seed(t, "c1")
	in.Objects = append(in.Objects, decode(t, `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: x, namespace: default}
spec: {configPatches: []}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: x, namespace: istio-system}
spec: {workloadSelector: {labels: {app: other}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: team}
spec: {host: c2.example.com, exportTo: ["."]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: default}
spec: {host: reviews}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: team}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 15443}}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: x, namespace: default}
spec: {rules: [{}]}
---
apiVersion: v1
kind: Service
metadata: {name: was-a-placeholder, namespace: default, labels: {app.kubernetes.io/managed-by: federator, federation.meshfed.io/mesh: c1}}
spec: {selector: {app: x}, ports: [{port: 9080}]}
`)...)
	assert.Empty(t, ofObjects(verify.Check(in)))
}
