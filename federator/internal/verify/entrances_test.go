package verify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// entrances is a gateway as it ran with an entrance for each of two peers and
// one for all others, or broken.
func entrances(t *testing.T, broken func(tree)) verify.Input {
	t.Helper()
	spec, err := api.Load("../../testdata/entrances/c2.yaml")
	require.NoError(t, err)
	in := stands(t, spec, rendered(t, spec))
	in.Now = time.Date(2026, time.November, 26, 15, 34, 51, 0, time.UTC)
	in.Dumps = []verify.Dump{dump(t, "entrances", verify.Ingress, broken)}
	return in
}

func TestARealGatewayWithEntrancesDoesWhatIsDeclared(t *testing.T) {
	r := verify.Check(entrances(t, nil))
	assert.Empty(t, r.Findings)
	assert.True(t, r.Proven())
	assert.Equal(t, []int{6, 3, 2}, []int{r.Grants, r.Routes, r.Clusters})
}

// chain edits the chain of one server name.
func chain(name string, edit func(tree)) func(tree) {
	return each("filter_chain_match", func(m tree) {
		if slices.Contains(m["filter_chain_match"].(tree)["server_names"].([]any), any(name)) {
			edit(m)
		}
	})
}

// inRoutes edits the routes of one entrance, by its port's name.
func inRoutes(port string, edit func(tree)) func(tree) {
	return each("virtual_hosts", func(m tree) {
		if name, _ := m["name"].(string); strings.HasPrefix(name, "https.15443."+port+".") {
			edit(m)
		}
	})
}

func TestAnEntranceThatIsNotOnePeersAloneIsNamed(t *testing.T) {
	const c1, c3 = "c1.c2.example.com", "c3.c2.example.com"
	names := func(sans ...any) func(tree) {
		return each("default_validation_context", func(m tree) { m["default_validation_context"] = tree{"match_subject_alt_names": sans} })
	}
	for name, c := range map[string]broken{
		"another peer's roots": {chain(c1, text("kubernetes://c2-example-com-ingress-c1-certs-cacert", "kubernetes://c2-example-com-ingress-c3-certs-cacert")),
			verify.ClientTrust, "ingress-c3-certs-cacert; declared: kubernetes://c2-example-com-ingress-c1-certs-cacert"},
		"the roots of all": {chain(c3, text("kubernetes://c2-example-com-ingress-c3-certs-cacert", "kubernetes://c2-example-com-certs-cacert")),
			verify.ClientTrust, "declared: kubernetes://c2-example-com-ingress-c3-certs-cacert"},
		"a peer's roots for all":   {chain("c2.example.com", text("kubernetes://c2-example-com-certs-cacert", "kubernetes://c2-example-com-ingress-c3-certs-cacert")), verify.ClientTrust, "declared: kubernetes://c2-example-com-certs-cacert"},
		"any name":                 {chain(c1, names()), verify.ClientTrust, "callers may be any"},
		"another name, too":        {chain(c1, names(tree{"exact": "spiffe://c1.example.com/istio-private-egressgateway"}, tree{"exact": "spiffe://x/y"})), verify.ClientTrust, "spiffe://x/y"},
		"a name that begins alike": {chain(c1, names(tree{"prefix": "spiffe://c1.example.com/"})), verify.ClientTrust, "prefix"},
		"two names by one door": {chain(c1, func(m tree) { m["filter_chain_match"] = tree{"server_names": []any{c1, c3}} }),
			verify.ClientTrust, "declared: kubernetes://c2-example-com-ingress-c3-certs-cacert"},
		"another peer's policy": {rules(func(m tree) {
			each("requested_server_name", func(s tree) { s["requested_server_name"] = tree{"exact": c3} })(m)
		}),
			verify.PolicyWider, c3},
		"another peer's routes": {chain(c1, text("https.15443.https-federation-c1.federation-ingress.istio-private-gateways", "https.15443.https-federation-c3.federation-ingress.istio-private-gateways")),
			verify.RouteExtra, "/bookinfo/ratings/v1/"},
		"another peer's host": {inRoutes("https-federation-c1", each("domains", func(m tree) { m["domains"] = []any{c1, c3} })), verify.RouteExtra, c3},
		"no entrance":         {chain(c3, func(m tree) { m["filter_chain_match"] = tree{"server_names": []any{"x.example.com"}} }), verify.SNIMissing, c3},
	} {
		t.Run(name, func(t *testing.T) {
			r := verify.Check(entrances(t, c.breaks))
			assert.False(t, r.Proven())
			assert.True(t, slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Kind == c.kind && strings.Contains(f.Detail, c.detail) }),
				"want %s: …%s…; got: %v", c.kind, c.detail, r.Findings)
		})
	}
}
