package explain_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/explain"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// taken is when the dump was; see package verify's tests.
func taken() time.Time { return time.Date(2026, time.November, 26, 14, 6, 53, 0, time.UTC) }

// ingress is c2's gateway as it ran with the seed's declarations, or broken by a
// replacement in its configuration.
func ingress(t *testing.T, from, to string) verify.Dump {
	t.Helper()
	raw, err := os.ReadFile("../verify/testdata/c2-ingress.json")
	require.NoError(t, err)
	text := string(raw)
	if from != "" {
		require.Contains(t, text, from, "the case changes nothing")
		text = strings.ReplaceAll(text, from, to)
	}
	config, err := envoy.Parse([]byte(text))
	require.NoError(t, err)
	return verify.Dump{Side: verify.Ingress, Pod: "ingress-0", Port: 15443, Config: config}
}

func seed(t *testing.T) api.Spec {
	t.Helper()
	spec, err := api.Load("../../testdata/seed/c2.yaml")
	require.NoError(t, err)
	return spec
}

// A peer is asked for at its own entrance, unless the question says otherwise.
func TestAPeerComesInByItsEntrance(t *testing.T) {
	spec, err := api.Load("../../testdata/entrances/c2.yaml")
	require.NoError(t, err)
	raw, err := os.ReadFile("../verify/testdata/entrances-ingress.json")
	require.NoError(t, err)
	config, err := envoy.Parse(raw)
	require.NoError(t, err)
	gateway := verify.Dump{Side: verify.Ingress, Pod: "ingress-0", Port: 15443, Config: config}
	const reviews = "/bookinfo/myreviews/v2/reviews/0"
	for name, c := range map[string]struct {
		question explain.Question
		last     envoy.Layer
		story    string
	}{
		"its own":             {explain.Question{Peer: "c1", Path: reviews}, envoy.LayerBackend, ""},
		"that of all others":  {explain.Question{Peer: "c4", Path: reviews}, envoy.LayerBackend, ""},
		"another peer's":      {explain.Question{Peer: "c3", Path: reviews, SNI: "c1.c2.example.com"}, envoy.LayerHandshake, "none but exact spiffe://c1.example.com/istio-private-egressgateway"},
		"all others', by own": {explain.Question{Peer: "c1", Path: reviews, SNI: "c2.example.com", Host: "c2.example.com"}, envoy.LayerPolicy, ""},
		"an undeclared path":  {explain.Question{Peer: "c3", Path: reviews}, envoy.LayerPolicy, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := explain.Ask(spec, gateway, c.question)
			require.NoError(t, err)
			assert.True(t, a.Agrees())
			last := a.Steps[len(a.Steps)-1]
			assert.Equal(t, c.last, last.Layer)
			assert.Contains(t, last.Story, c.story)
		})
	}
}

func TestTheLayerThatDecidesIsNamed(t *testing.T) {
	const reviews, ratings = "/bookinfo/myreviews/v2/reviews/0", "/bookinfo/ratings/v1/ratings/0"
	cases := map[string]struct {
		question explain.Question
		// from and to break the gateway.
		from, to string
		declared bool
		last     envoy.Layer
		story    string
		// by is in the step that decides or in its object.
		by string
	}{
		"it reaches the backend":       {explain.Question{Peer: "c1", Path: reviews}, "", "", true, envoy.LayerBackend, "10.2.0.8:9080", "|v2|myreviews"},
		"by the authority with a port": {explain.Question{Peer: "c1", Path: reviews, Host: "c2.example.com:15443"}, "", "", true, envoy.LayerBackend, "", ""},
		"the server name in capitals":  {explain.Question{Peer: "c1", Path: reviews, SNI: "C2.Example.com"}, "", "", true, envoy.LayerBackend, "", ""},
		"another peer":                 {explain.Question{Peer: "c3", Path: reviews}, "", "", false, envoy.LayerPolicy, "path prefix /bookinfo/ratings/v1/", "envoy.filters.http.rbac"},
		"another method":               {explain.Question{Peer: "c1", Path: reviews, Method: "POST"}, "", "", false, envoy.LayerPolicy, "wants method exact GET", ""},
		"another path":                 {explain.Question{Peer: "c1", Path: "/bookinfo/myreviews/v3/"}, "", "", false, envoy.LayerPolicy, "wants path prefix", ""},
		"a path in disguise":           {explain.Question{Peer: "c1", Path: "/bookinfo/myreviews/v2/..%2fv3/"}, "", "", false, envoy.LayerPolicy, "", ""},
		"nobody":                       {explain.Question{Path: reviews}, "", "", false, envoy.LayerHandshake, "there is none", "filter chain"},
		"the wrong server name":        {explain.Question{Peer: "c1", Path: reviews, SNI: "c9.example.com"}, "", "", false, envoy.LayerSNI, `"c9.example.com"`, "0.0.0.0_15443"},
		"the wrong authority":          {explain.Question{Peer: "c1", Path: reviews, Host: "x.example.com"}, "", "", false, envoy.LayerPolicy, "authority", ""},

		// FAULTS of the gateway: what is declared does not get through.
		"an expired certificate":  {explain.Question{Peer: "c1", Path: reviews, At: taken().AddDate(20, 0, 0)}, "", "", true, envoy.LayerHandshake, "valid from", ""},
		"another name is served":  {explain.Question{Peer: "c1", Path: reviews}, `"server_names": ["c2.example.com"]`, `"server_names": ["c9.example.com"]`, true, envoy.LayerSNI, "there are: c9.example.com", ""},
		"the policy is not there": {explain.Question{Peer: "c3", Path: ratings}, "spiffe://c3.example.com/", "spiffe://c4.example.com/", true, envoy.LayerPolicy, "principal", "rbac"},
		"the route is not there":  {explain.Question{Peer: "c1", Path: reviews}, `"match": {"prefix": "/bookinfo/myreviews/v2/"`, `"match": {"prefix": "/other/"`, true, envoy.LayerRoute, "404", ""},
		"the subset is not there": {explain.Question{Peer: "c1", Path: reviews}, `"name": "outbound|9080|v2|`, `"name": "outbound|9080|v9|`, true, envoy.LayerRoute, "503", "|v2|myreviews"},
		"nobody is behind it":     {explain.Question{Peer: "c1", Path: reviews}, "HEALTHY", "UNHEALTHY", true, envoy.LayerBackend, "none of 1 addresses is healthy", ""},
		"nothing listens":         {explain.Question{Peer: "c1", Path: reviews}, `"port_value": 15443`, `"port_value": 9`, true, envoy.LayerListener, "nothing listens", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, err := explain.Ask(seed(t), ingress(t, c.from, c.to), c.question)
			require.NoError(t, err)
			last := a.Steps[len(a.Steps)-1]
			assert.Equal(t, c.declared, a.Declared)
			assert.Equal(t, c.last, last.Layer, "%+v", a.Steps)
			assert.Contains(t, last.Story, c.story)
			assert.Contains(t, last.By+" "+last.Object, c.by)
			assert.Equal(t, last.Passed, a.Reaches)
			if a.Declared && !a.Reaches {
				assert.Equal(t, c.last, a.Broken())
				assert.False(t, a.Agrees())
			} else {
				assert.Empty(t, a.Broken())
				assert.True(t, a.Agrees())
			}
		})
	}
}

func TestTheObjectsAndTheDeclarationAreNamed(t *testing.T) {
	a, err := explain.Ask(seed(t), ingress(t, "", ""), explain.Question{Peer: "c1", Path: "/bookinfo/ratings/v1/ratings/0"})
	require.NoError(t, err)
	assert.Equal(t, "Exposure/bookinfo/ratings", a.By)
	text, err := json.Marshal(a.Steps)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"AuthorizationPolicy istio-private-gateways/federation-expose-bookinfo-ratings"`)
	assert.Contains(t, string(text), `"VirtualService istio-private-gateways/federation-expose-bookinfo-ratings"`)
	assert.Contains(t, string(text), "as /ratings/0 for ratings.bookinfo.svc.cluster.local")
}

// SAD PATHS
func TestAQuestionThatCannotBeAskedIsRefused(t *testing.T) {
	consumerOnly := seed(t)
	consumerOnly.Mesh.Spec.Ingress = nil
	for want, c := range map[string]struct {
		spec     api.Spec
		question explain.Question
	}{
		"has no ingress gateway": {consumerOnly, explain.Question{Peer: "c1", Path: "/"}},
		"does not begin with":    {seed(t), explain.Question{Peer: "c1", Path: "x"}},
		"have no Peer c9":        {seed(t), explain.Question{Peer: "c9", Path: "/"}},
	} {
		_, err := explain.Ask(c.spec, verify.Dump{}, c.question)
		assert.ErrorContains(t, err, want)
	}
}
