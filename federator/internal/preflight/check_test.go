package preflight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/preflight"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// ready is a cluster in which nothing stands in the way of both sides' wishes.
const ready = `apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"}
---
apiVersion: v1
kind: Service
metadata: {name: in, namespace: gw}
spec: {selector: {istio: in, app: in}, ports: [{port: 15443}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: gw}
spec: {selector: {istio: out, app: out}, ports: [{port: 443}]}
---
apiVersion: v1
kind: Secret
metadata: {name: certs, namespace: gw}
data: {tls.crt: YQ==, tls.key: c2VjcmV0, ca.crt: YQ==}
---
apiVersion: v1
kind: Service
metadata: {name: myreviews, namespace: bookinfo}
spec: {type: ClusterIP, ports: [{port: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: bookinfo}
spec: {host: myreviews, subsets: [{name: v2}]}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {type: ClusterIP, ports: [{port: 9080}, {port: 9090}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: default}
spec: {host: reviews.default.svc.cluster.local, subsets: [{name: v1}]}
`

const wish = `apiVersion: federation.meshfed.io/v1alpha1
kind: Mesh
metadata: {name: c1}
spec:
  host: c1.example.com
  ingress: {namespace: gw, service: in, selector: {istio: in}, port: 15443, credentialName: certs}
  egress: {namespace: gw, service: out, selector: {istio: out}, port: 443, credentialName: certs}
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c2}
spec:
  clientIdentity: spiffe://c2.example.com/egress
  serverIdentity: spiffe://c2.example.com/ingress
  address: {host: 172.30.2.1, port: 15443}
  sni: c2.example.com
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Exposure
metadata: {name: reviews, namespace: bookinfo}
spec:
  service: {name: myreviews, port: 9080, subset: v2}
  path: /bookinfo/reviews/
  consumers: [{peer: c2, methods: [GET]}]
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Consumption
metadata: {name: reviews, namespace: default}
spec:
  service: {name: reviews, port: 9080}
  from: {peer: c2, path: /bookinfo/ratings/}
  routes:
  - to: [{target: local, subset: v1, weight: 50}, {target: remote, weight: 50}]
`

func check(t *testing.T, cluster string) preflight.Report {
	t.Helper()
	spec, err := api.Parse("wish.yaml", strings.NewReader(wish))
	require.NoError(t, err)
	return checkSpec(t, cluster, spec)
}

func checkSpec(t *testing.T, cluster string, spec api.Spec) preflight.Report {
	t.Helper()
	report, err := preflight.Check(t.Context(), kubefake.New(objects(t, cluster)...), spec, preflight.Options{})
	require.NoError(t, err)
	return report
}

func objects(t *testing.T, cluster string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for doc := range strings.SplitSeq(cluster, "---\n") {
		raw, err := yaml.YAMLToJSON([]byte(doc))
		require.NoError(t, err)
		o := &unstructured.Unstructured{}
		require.NoError(t, o.UnmarshalJSON(raw))
		out = append(out, o)
	}
	return out
}

func TestAReadyClusterHasNoProblems(t *testing.T) {
	report := check(t, ready)
	require.NoError(t, report.Err())
	assert.Equal(t, render.ServiceFact{Ports: 2}, report.Facts.Services[render.Name{Namespace: "default", Name: "reviews"}])
}

// SAD PATHS: each row breaks one thing; the answer names it and its cure.
func TestWhatIsMissingIsNamedWithItsCure(t *testing.T) {
	aliases := `data: {mesh: "{pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}, trustDomain: td, trustDomainAliases: [c2.example.com]}"}`
	own := `data: {mesh: "{pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}, trustDomain: c2.example.com}"}`
	data := `data: {mesh: "pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"}`
	cases := map[string]struct{ old, new, want string }{
		"no mesh config":          {"name: istio,", "name: istio-canary,", "ConfigMap istio-system/istio: not found; install Istio"},
		"default normalisation":   {data, `data: {mesh: ""}`, "is BASE, Istio's default, which lets escaped slashes"},
		"weaker normalisation":    {"DECODE_AND_MERGE_SLASHES", "MERGE_SLASHES", "normalization is MERGE_SLASHES"},
		"mesh config is no YAML":  {data, `data: {mesh: "a: ["}`, "is not YAML"},
		"peer in the aliases":     {data, aliases, "remove it from trustDomainAliases"},
		"peer in our own domain":  {data, own, "of this mesh's own trust domain"},
		"another root namespace":  {data, `data: {mesh: "{pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}, rootNamespace: istio-config}"}`, "rootNamespace is istio-config: the policies and EnvoyFilters there apply at the gateways, and only those of istio-system are looked at"},
		"other meshes' roots":     {data, `data: {mesh: "{pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}, caCertificates: [{pem: x}]}"}`, "caCertificates holds roots of others"},
		"no ingress gateway":      {"name: in,", "name: other,", "Service gw/in (spec.ingress of Mesh/c1): not found"},
		"gateway without port":    {"port: 15443", "port: 443", "has no port 15443"},
		"another gateway's pods":  {"{istio: in, app: in}", "{istio: other}", "does not select pods by istio=in"},
		"no secret":               {"name: certs", "name: other", "Secret gw/certs: not found"},
		"no key":                  {"tls.key: c2VjcmV0, ", "", "has no key tls.key"},
		"no root":                 {", ca.crt: YQ==", "", "nor is there a Secret certs-cacert"},
		"no exposed service":      {"name: myreviews,", "name: other,", "Service bookinfo/myreviews (Exposure/bookinfo/reviews): not found"},
		"exposed port":            {"{type: ClusterIP, ports: [{port: 9080}]}", "{ports: [{port: 80}]}", "name one of [80]"},
		"ExternalName":            {"{type: ClusterIP, ports: [{port: 9080}]}", "{type: ExternalName, ports: [{port: 9080}]}", "is an ExternalName"},
		"subset not defined":      {"subsets: [{name: v2}]", "subsets: [{name: v9}]", "defines its subset v2"},
		"subset not visible":      {"{host: myreviews, ", `{host: myreviews, exportTo: ["."], `, "that namespace gw can see"},
		"no local service":        {"name: reviews, namespace: default}\nspec: {type", "name: other, namespace: default}\nspec: {type", "Service default/reviews (Consumption/default/reviews): not found"},
		"local subset is missing": {"subsets: [{name: v1}]", "subsets: []", "defines its subset v1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(ready, c.old, c.new, 1)
			require.NotEqual(t, ready, text, "the row replaces nothing")
			err := check(t, text).Err()
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "c2VjcmV0", "no secret's content in a message")
			var bad *preflight.Error
			require.ErrorAs(t, err, &bad)
		})
	}
}

func TestOtherRootsAreOfNoMatterWhereNothingIsConsumed(t *testing.T) {
	text := strings.Replace(ready, "pathNormalization:", "{caCertificates: [{pem: x}], pathNormalization:", 1)
	text = strings.Replace(text, `SLASHES}"}`, `SLASHES}}"}`, 1)
	spec, err := api.Parse("wish.yaml", strings.NewReader(wish))
	require.NoError(t, err)
	spec.Consumptions = nil
	require.NoError(t, checkSpec(t, text, spec).Err())
}

func TestTheRootNamespaceMayBeNamed(t *testing.T) {
	text := strings.Replace(ready, "pathNormalization:", "{rootNamespace: istio-system, pathNormalization:", 1)
	text = strings.Replace(text, `SLASHES}"}`, `SLASHES}}"}`, 1)
	require.NoError(t, check(t, text).Err())
}

func TestTheRootMayStandInASecretOfItsOwn(t *testing.T) {
	text := strings.Replace(ready, ", ca.crt: YQ==", "", 1) +
		"---\n{apiVersion: v1, kind: Secret, metadata: {name: certs-cacert, namespace: gw}, data: {ca.crt: YQ==}}\n"
	require.NoError(t, check(t, text).Err())
}

// What other owners have put on our hosts and gateways is a conflict; what only
// looks like it is not.
func TestObjectsOfOtherOwners(t *testing.T) {
	vs := func(ns, rest string) string {
		return "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: theirs, namespace: " + ns + "}, spec: {" + rest + "}}"
	}
	gw := func(rest string) string {
		return "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: theirs, namespace: elsewhere}, spec: {" + rest + "}}"
	}
	dr := func(ns, rest string) string {
		return "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: theirs, namespace: " + ns + "}, spec: {" + rest + "}}"
	}
	policy := func(ns, rest string) string {
		return "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: theirs, namespace: " + ns + "}, spec: {" + rest + "}}"
	}
	cases := map[string]struct{ object, want string }{
		"route for the short name":          {vs("default", "hosts: [reviews]"), "one host has one VirtualService"},
		"route for the full name":           {vs("default", "hosts: [reviews.default.svc.cluster.local], gateways: [mesh]"), "one host has one VirtualService"},
		"route for the name in capitals":    {vs("default", "hosts: [Reviews]"), "one host has one VirtualService"},
		"route from another namespace":      {vs("other", "hosts: [reviews.default.svc.cluster.local]"), "one host has one VirtualService"},
		"route kept to itself":              {vs("other", `hosts: [reviews.default.svc.cluster.local], exportTo: ["."]`), ""},
		"route of a public gateway":         {vs("default", "hosts: [reviews], gateways: [public]"), ""},
		"same short name elsewhere":         {vs("other", "hosts: [reviews]"), ""},
		"route on our gateway":              {vs("gw", "hosts: [x.example.com], gateways: [federation-ingress]"), "bound to the Gateway gw/federation-ingress"},
		"route on our gateway from away":    {vs("other", "hosts: [x.example.com], gateways: [gw/federation-egress]"), "bound to the Gateway gw/federation-egress"},
		"route on our gateway, of here":     {vs("gw", "hosts: [x.example.com], gateways: [./federation-ingress]"), "bound to the Gateway gw/federation-ingress"},
		"route on ours by the old name":     {vs("other", "hosts: [x.example.com], gateways: [public, federation-ingress.gw]"), "bound to the Gateway gw/federation-ingress"},
		"route on ours by the full name":    {vs("other", "hosts: [x.example.com], gateways: [federation-egress.gw.svc.cluster.local]"), "bound to the Gateway gw/federation-egress"},
		"route on a gateway of here":        {vs("other", "hosts: [x.example.com], gateways: [./federation-ingress]"), ""},
		"route on another full name":        {vs("gw", "hosts: [x.example.com], gateways: [federation-ingress.other.svc.cluster.local]"), ""},
		"gateway of the same name away":     {vs("other", "hosts: [x.example.com], gateways: [federation-ingress]"), ""},
		"passthrough on our pods":           {gw("selector: {istio: in}, servers: [{port: {number: 15444}, tls: {mode: AUTO_PASSTHROUGH}}]"), "reaches any service past its policies"},
		"second listener":                   {gw("selector: {app: in}, servers: [{port: {number: 15443}}]"), "listens on port 15443"},
		"gateway on all pods":               {gw("servers: [{port: {number: 443}}]"), "listens on port 443"},
		"gateway on other pods":             {gw("selector: {istio: public}, servers: [{port: {number: 15443}}]"), ""},
		"rule for what is exposed":          {dr("gw", "host: myreviews.bookinfo.svc.cluster.local, subsets: [{name: v2}]"), "Istio looks there first"},
		"rule for what is exposed, in CASE": {dr("gw", "host: MyReviews.bookinfo.svc.cluster.local"), "Istio looks there first"},
		"rule for all that is exposed":      {dr("gw", `host: "*.bookinfo.svc.cluster.local"`), "Istio looks there first"},
		"rule for another service":          {dr("gw", "host: myreviews"), ""},
		"rule of another namespace":         {dr("other", "host: myreviews.bookinfo.svc.cluster.local"), ""},
		"allow policy on our gateway":       {policy("gw", "selector: {matchLabels: {istio: in}}, rules: [{}]"), "allows requests at the gateway gw/in"},
		"allow policy on the namespace":     {policy("gw", "action: ALLOW, rules: [{}]"), "allows requests at the gateway"},
		"allow policy on the mesh":          {policy("istio-system", "rules: [{}]"), "allows requests at the gateway"},
		"allow policy by another label":     {policy("gw", "selector: {matchLabels: {app.kubernetes.io/name: in}}, rules: [{}]"), "if its pods have the label app.kubernetes.io/name"},
		"gateway by another label":          {gw("selector: {app.kubernetes.io/name: in}, servers: [{port: {number: 15443}}]"), "listens on port 15443"},
		"another label, and a known one":    {policy("gw", "selector: {matchLabels: {istio: public, app.kubernetes.io/name: in}}, rules: [{}]"), ""},
		"allow-nothing":                     {policy("gw", ""), ""},
		"deny policy":                       {policy("gw", "action: DENY, rules: [{}]"), ""},
		"policy for other pods":             {policy("gw", "selector: {matchLabels: {istio: public}}, rules: [{}]"), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := check(t, ready+"---\n"+c.object+"\n").Err()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "theirs")
		})
	}
}

// A rule says more than what subsets are: whether the gateway calls by TLS, and how
// often again.
func TestARuleInTheGatewaysNamespaceIsRefusedForWhatIsExposedWithoutASubset(t *testing.T) {
	spec, err := api.Parse("wish.yaml", strings.NewReader(strings.Replace(wish, "port: 9080, subset: v2", "port: 9080", 1)))
	require.NoError(t, err)
	require.Empty(t, spec.Exposures[0].Spec.Service.Subset)
	rule := "---\n{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: theirs, namespace: gw}, " +
		"spec: {host: myreviews.bookinfo.svc.cluster.local, trafficPolicy: {tls: {mode: DISABLE}}}}\n"
	report := checkSpec(t, ready+rule, spec)
	require.ErrorContains(t, report.Err(), "Istio looks there first")
	assert.Equal(t, spec.Exposures[0].Key(), report.Conflicts[0].By)
}

// Others can select the gateway by any label that its pods have.
func TestASelectorIsHeldAgainstTheLabelsOfThePods(t *testing.T) {
	const (
		pod    = "---\n{apiVersion: v1, kind: Pod, metadata: {name: in-0, namespace: gw, labels: {istio: in, app: in, app.kubernetes.io/name: edge}}}\n"
		other  = "---\n{apiVersion: v1, kind: Pod, metadata: {name: other, namespace: gw, labels: {app.kubernetes.io/name: other}}}\n"
		policy = "---\n{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: theirs, namespace: gw}, spec: {selector: {matchLabels: {app.kubernetes.io/name: %s}}, rules: [{}]}}\n"
	)
	exposing, err := api.Parse("wish.yaml", strings.NewReader(wish))
	require.NoError(t, err)
	exposing.Consumptions = nil
	for name, c := range map[string]struct {
		label string
		want  string
	}{
		"a label of a pod":         {"edge", "allows requests at the gateway gw/in beside the declarations; narrow"},
		"a label of no pod of it":  {"other", ""},
		"a label that nobody has ": {"none", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkSpec(t, ready+pod+other+fmt.Sprintf(policy, c.label), exposing).Err()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Istio reads target references only of pods that the Gateway API has made, and of
// those by the name of their gateway.
func TestATargetIsHeldAgainstTheGatewayThatThePodsAreOf(t *testing.T) {
	const (
		classic = "---\n{apiVersion: v1, kind: Pod, metadata: {name: in-0, namespace: gw, labels: {istio: in}}}\n"
		made    = "---\n{apiVersion: v1, kind: Pod, metadata: {name: in-0, namespace: gw, labels: {istio: in, gateway.networking.k8s.io/gateway-name: edge}}}\n"
		policy  = "---\n{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: theirs, namespace: %s}, spec: {%s, rules: [{}]}}\n"
		edge    = "targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: edge}]"
	)
	exposing, err := api.Parse("wish.yaml", strings.NewReader(wish))
	require.NoError(t, err)
	exposing.Consumptions = nil
	for name, c := range map[string]struct{ pods, namespace, target, want string }{
		"this gateway":                 {made, "gw", edge, "allows requests at the gateway gw/in beside the declarations;"},
		"this gateway, the older way":  {made, "gw", "targetRef: {kind: Gateway, group: gateway.networking.k8s.io, name: edge}", "allows requests"},
		"another gateway":              {made, "gw", strings.Replace(edge, "edge", "other", 1), ""},
		"a service":                    {made, "gw", "targetRefs: [{kind: Service, name: edge}]", ""},
		"from the root namespace":      {made, "istio-system", edge, ""},
		"pods of no gateway of theirs": {classic, "gw", edge, ""},
		"pods that nobody has seen":    {"", "gw", edge, "if its pods have the label gateway.networking.k8s.io/gateway-name"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkSpec(t, ready+c.pods+fmt.Sprintf(policy, c.namespace, c.target), exposing).Err()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestTheSecretOfAnEntranceIsNeededAndThatOfAllIsNot(t *testing.T) {
	own := strings.Replace(wish, "  sni: c2.example.com\n", "  sni: c2.example.com\n  ingress: {host: c2.c1.example.com, credentialName: c2-certs}\n", 1)
	spec, err := api.Parse("wish.yaml", strings.NewReader(own))
	require.NoError(t, err)
	spec.Consumptions = nil
	err = checkSpec(t, ready, spec).Err()
	require.ErrorContains(t, err, "Secret gw/c2-certs: not found")
	assert.NotContains(t, err.Error(), "gw/certs")
}
