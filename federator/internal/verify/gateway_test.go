package verify_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// taken is when the dumps in testdata were taken, from the gateways of a lab
// with the seed's declarations in force. They are shortened: what has no bearing
// on the boundary (logging, tracing, other clusters) is left out.
func taken() time.Time { return time.Date(2026, time.November, 26, 14, 6, 53, 0, time.UTC) }

type tree = map[string]any

// dump reads one of them, and breaks it if a case says how.
func dump(t *testing.T, mesh string, side verify.Side, broken func(tree)) verify.Dump {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + mesh + "-" + string(side) + ".json")
	require.NoError(t, err)
	if broken != nil {
		var whole tree
		require.NoError(t, json.Unmarshal(raw, &whole))
		broken(whole)
		changed, err := json.Marshal(whole)
		require.NoError(t, err)
		require.NotEqual(t, compact(t, raw), string(changed), "the case changes nothing")
		raw = changed
	}
	config, err := envoy.Parse(raw)
	require.NoError(t, err)
	port := map[verify.Side]int{verify.Ingress: 15443, verify.Egress: 8443}[side]
	return verify.Dump{Side: side, Pod: string(side) + "-0", Port: port, Config: config}
}

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	var whole any
	require.NoError(t, json.Unmarshal(raw, &whole))
	out, err := json.Marshal(whole)
	require.NoError(t, err)
	return string(out)
}

// running is one side of the seed with both its gateways as they ran.
func running(t *testing.T, mesh string) verify.Input {
	t.Helper()
	in := seed(t, mesh)
	in.Now = taken()
	in.Dumps = []verify.Dump{dump(t, mesh, verify.Ingress, nil), dump(t, mesh, verify.Egress, nil)}
	return in
}

func TestARealGatewayDoesWhatIsDeclared(t *testing.T) {
	for mesh, want := range map[string]verify.Report{
		"c1": {Grants: 2, Routes: 2, Clusters: 1}, "c2": {Grants: 6, Routes: 2, Clusters: 2},
	} {
		r := verify.Check(running(t, mesh))
		assert.Empty(t, r.Findings, mesh)
		assert.True(t, r.Proven())
		assert.Equal(t, []int{want.Grants, want.Routes, want.Clusters}, []int{r.Grants, r.Routes, r.Clusters}, mesh)
		assert.Equal(t, []string{"ingress-0", "egress-0"}, r.Gateways)
	}
}

// each visits every mapping that has a key.
func each(key string, do func(tree)) func(tree) {
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case tree:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k])
			}
			if _, is := v[key]; is {
				do(v)
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		}
	}
	return func(whole tree) { walk(whole) }
}

// dynamic visits those that came from the control plane only.
func dynamic(key string, do func(tree)) func(tree) {
	return each("active_state", func(s tree) { each(key, do)(s) })
}

func without(key string) func(tree) { return dynamic(key, func(m tree) { delete(m, key) }) }

func put(key string, value any) func(tree) {
	return dynamic(key, func(m tree) { m[key] = value })
}

// text replaces a text wherever it stands as a whole.
func text(from, to string) func(tree) {
	return func(whole tree) {
		raw, _ := json.Marshal(whole)
		clear(whole)
		_ = json.Unmarshal([]byte(strings.ReplaceAll(string(raw), `"`+from+`"`, `"`+to+`"`)), &whole)
	}
}

// filter adds one in front of the policy.
func filter(name string) func(tree) {
	return dynamic("http_filters", func(m tree) { m["http_filters"] = append([]any{tree{"name": name}}, m["http_filters"].([]any)...) })
}

// rules edits the first policy's rules.
func rules(edit func(tree)) func(tree) {
	return each("policies", func(m tree) { edit(m["policies"].(tree)) })
}

func firstRoute(edit func(tree)) func(tree) {
	return each("dynamic_route_configs", func(m tree) {
		done := false
		each("match", func(r tree) {
			if !done {
				done = true
				edit(r)
			}
		})(m)
	})
}

func cluster(edit func(tree)) func(tree) {
	return each("dynamic_active_clusters", func(m tree) {
		edit(m["dynamic_active_clusters"].([]any)[0].(tree)["cluster"].(tree))
	})
}

// broken is a gateway that does not do what is declared, and what must be said.
type broken struct {
	breaks func(tree)
	kind   verify.Kind
	detail string
}

func ingressCases() map[string]broken {
	wide := tree{"permissions": []any{tree{"any": true}}, "principals": []any{tree{"any": true}}}
	return map[string]broken{
		"nothing listens":               {each("dynamic_listeners", func(m tree) { delete(m, "dynamic_listeners") }), verify.ListenerMissing, "port 15443"},
		"another port is open":          {each("dynamic_listeners", func(m tree) { m["dynamic_listeners"] = append(m["dynamic_listeners"].([]any), otherPort()) }), verify.ListenerExtra, "port 9999"},
		"the bootstrap leads somewhere": {text("prometheus_stats", "outbound|80||x"), verify.ListenerExtra, "leads to outbound|80||x"},
		"another server name":           {put("server_names", []any{"c2.example.com", "x.example.com"}), verify.SNIExtra, "x.example.com"},
		"a wildcard server name":        {put("server_names", []any{"*.example.com"}), verify.SNIExtra, "*.example.com"},
		"any server name":               {without("filter_chain_match"), verify.SNIExtra, "any server name"},
		"the server name is another":    {put("server_names", []any{"x.example.com"}), verify.SNIMissing, "c2.example.com"},
		"a chain for the rest":          {dynamic("filter_chains", func(m tree) { m["default_filter_chain"] = m["filter_chains"].([]any)[0] }), verify.SNIExtra, "any server name"},
		"plain text":                    {without("transport_socket"), verify.ListenerPlainText, ""},
		"no client certificate needed":  {put("require_client_certificate", false), verify.ClientCertificateOptional, ""},
		"other roots":                   {text("kubernetes://c2-example-com-certs-cacert", "ROOTCA"), verify.ClientTrust, "ROOTCA"},
		"no roots":                      {without("combined_validation_context"), verify.ClientTrust, "no roots"},
		"any root": {dynamic("combined_validation_context", func(m tree) {
			m["combined_validation_context"].(tree)["default_validation_context"] = tree{"trust_chain_verification": "ACCEPT_UNTRUSTED"}
		}), verify.ClientTrust, "any other root"},
		"an expired certificate will do": {eased("allow_expired_certificate"), verify.ClientTrust, "allow_expired_certificate"},
		"somebody else judges them":      {eased("custom_validator_config"), verify.ClientTrust, "custom_validator_config"},
		"an authority cannot be revoked": {eased("only_verify_leaf_cert_crl"), verify.ClientTrust, "only_verify_leaf_cert_crl"},
		"a rule of tomorrow":             {eased("some_new_rule"), verify.ClientTrust, "some_new_rule"},
		"the secret eases it":            {each("trusted_ca", func(m tree) { m["allow_expired_certificate"] = true }), verify.ClientTrust, "allow_expired_certificate"},
		"another certificate":            {text("kubernetes://c2-example-com-certs", "kubernetes://other"), verify.ServerCertificate, "kubernetes://other"},
		"an old protocol":                {put("tls_minimum_protocol_version", "TLSv1_0"), verify.TLSVersion, "TLSv1_0"},
		"slashes are kept":               {put("merge_slashes", false), verify.PathNormalisation, "merge_slashes is false"},
		"escaped slashes are kept":       {without("path_with_escaped_slashes_action"), verify.PathNormalisation, "kept as they are"},
		"dots are kept":                  {without("normalize_path"), verify.PathNormalisation, "normalize_path is false"},
		"no policy":                      {each("http_filters", func(m tree) { m["http_filters"] = m["http_filters"].([]any)[len(m["http_filters"].([]any))-1:] }), verify.PolicyMissing, ""},
		"a policy that only watches":     {dynamic("rules", func(m tree) { m["shadow_rules"] = m["rules"]; delete(m, "rules") }), verify.PolicyMissing, ""},
		"a policy that is switched off":  {each("http_filters", func(m tree) { m["http_filters"].([]any)[0].(tree)["disabled"] = true }), verify.PolicyMissing, ""},
		"a rule for everybody":           {rules(func(m tree) { m["x"] = wide }), verify.PolicyWider, "x admits everything"},
		"any caller":                     {each("principals", func(m tree) { m["principals"] = []any{tree{"any": true}} }), verify.PolicyWider, ""},
		"any caller with a certificate":  {each("principal_name", func(m tree) { delete(m, "principal_name") }), verify.PolicyWider, "principal present"},
		"another caller":                 {text("spiffe://c3.example.com/istio-private-egressgateway", "spiffe://c4.example.com/x"), verify.PolicyWider, "c4"},
		"a shorter prefix":               {rules(func(m tree) { each("prefix", func(p tree) { p["prefix"] = "/bookinfo/" })(m) }), verify.PolicyWider, "path prefix /bookinfo/,"},
		"a prefix without its slash": {rules(func(m tree) {
			each("prefix", func(p tree) { p["prefix"] = strings.TrimSuffix(p["prefix"].(string), "/") })(m)
		}), verify.PolicyWider, "v1,"},
		"another method":                {text("GET", "POST"), verify.PolicyWider, "method exact POST"},
		"any server name in the policy": {each("requested_server_name", func(m tree) { delete(m, "requested_server_name"); m["any"] = true }), verify.PolicyWider, ""},
		"everything but": {rules(func(m tree) {
			m["x"] = tree{"permissions": []any{tree{"not_rule": tree{"url_path": tree{"path": tree{"exact": "/x"}}}}}, "principals": []any{tree{"any": true}}}
		}), verify.PolicyWider, "not path exact /x"},
		"a grant is not there": {rules(func(m tree) { maps.DeleteFunc(m, func(k string, _ any) bool { return strings.Contains(k, "reviews") }) }), verify.PolicyNarrower, "/bookinfo/myreviews/v2/"},
		"a grant wants more": {rules(func(m tree) {
			for _, r := range m {
				r.(tree)["condition"] = tree{"x": "y"}
			}
		}), verify.PolicyNarrower, ""},
		"somebody denies":                 {dynamic("http_filters", func(m tree) { m["http_filters"] = append([]any{denial()}, m["http_filters"].([]any)...) }), verify.PolicyNarrower, "denies method exact GET"},
		"a route switches the policy off": {firstRoute(func(r tree) { r["typed_per_filter_config"] = tree{"envoy.filters.http.rbac": tree{}} }), verify.PolicyOverridden, "envoy.filters.http.rbac"},
		"a script sees the requests":      {filter("envoy.filters.http.lua"), verify.FilterUnknown, "lua"},
		"somebody else decides":           {filter("envoy.filters.http.ext_authz"), verify.FilterUnknown, "ext_authz"},
		"connections are passed on":       {dynamic("filters", func(m tree) { m["filters"] = []any{tree{"name": "envoy.filters.network.tcp_proxy"}} }), verify.FilterUnknown, "tcp_proxy"},
		"another route":                   {each("routes", addRoute(tree{"match": tree{"prefix": "/x/"}, "route": tree{"cluster": "outbound|80||x"}})), verify.RouteExtra, "outbound|80||x"},
		"a route that answers":            {each("routes", addRoute(tree{"match": tree{"prefix": "/"}, "redirect": tree{}})), verify.RouteExtra, "redirect"},
		"a route for a prefix of it":      {firstRoute(func(r tree) { r["match"] = tree{"prefix": "/bookinfo/"} }), verify.RouteExtra, "prefix /bookinfo/"},
		"another host":                    {each("dynamic_route_configs", each("domains", func(m tree) { m["domains"] = []any{"c2.example.com", "x.example.com"} })), verify.RouteExtra, "x.example.com"},
		"a route is not there":            {each("dynamic_route_configs", each("routes", func(m tree) { m["routes"] = m["routes"].([]any)[1:] })), verify.RouteMissing, "/bookinfo/ratings/v1/"},
		"another subset":                  {firstRoute(func(r tree) { r["route"].(tree)["cluster"] = "outbound|9080|v3|ratings.bookinfo.svc.cluster.local" }), verify.RouteChanged, "|v3|"},
		"another service":                 {firstRoute(func(r tree) { r["route"].(tree)["cluster"] = "outbound|9080|v1|details.bookinfo.svc.cluster.local" }), verify.RouteChanged, "details"},
		"the prefix is kept":              {firstRoute(func(r tree) { delete(r["route"].(tree), "prefix_rewrite") }), verify.RouteChanged, `becomes ""`},
		"the authority is kept":           {firstRoute(func(r tree) { delete(r["route"].(tree), "host_rewrite_literal") }), verify.RouteChanged, "authority"},
		"the caller chooses the cluster":  {firstRoute(func(r tree) { r["route"] = tree{"cluster_header": "x"} }), verify.RouteChanged, "header x"},
		"copies go elsewhere":             {firstRoute(func(r tree) { r["route"].(tree)["request_mirror_policies"] = []any{tree{"cluster": "x"}} }), verify.RouteChanged, "copies"},
		"a share goes elsewhere": {firstRoute(func(r tree) {
			delete(r["route"].(tree), "cluster")
			r["route"].(tree)["weighted_clusters"] = tree{"clusters": []any{tree{"name": "a"}, tree{"name": "b"}}}
		}), verify.RouteChanged, "a, b"},
		"only with a header":                  {firstRoute(func(r tree) { r["match"].(tree)["headers"] = []any{tree{"name": "x", "present_match": true}} }), verify.RouteChanged, "header x present"},
		"the subset is not there":             {each("dynamic_active_clusters", func(m tree) { m["dynamic_active_clusters"] = m["dynamic_active_clusters"].([]any)[1:] }), verify.ClusterMissing, "503"},
		"the service in plain text":           {cluster(func(c tree) { delete(c, "transport_socket") }), verify.ClusterPlainText, ""},
		"the gateway refuses what it is told": {each("active_state", func(m tree) { m["error_state"] = tree{"details": "no"} }), verify.ConfigRefused, "no"},
		"routes that are not there":           {each("dynamic_route_configs", func(m tree) { delete(m, "dynamic_route_configs") }), verify.ConfigRefused, "not there"},
		"a chain of unread conditions":        {dynamic("filter_chain_match", func(m tree) { m["filter_chain_match"].(tree)["source_type"] = "EXTERNAL" }), verify.ConfigRefused, "source_type"},
	}
}

// eased sets a rule for the other side's certificates.
func eased(rule string) func(tree) {
	return each("default_validation_context", func(m tree) { m["default_validation_context"].(tree)[rule] = true })
}

func otherPort() tree {
	return tree{"name": "x", "active_state": tree{"listener": tree{"name": "x", "address": tree{"socket_address": tree{"address": "0.0.0.0", "port_value": 9999}}}}}
}

func denial() tree {
	get := tree{"header": tree{"name": ":method", "string_match": tree{"exact": "GET"}}}
	return tree{"name": "envoy.filters.http.rbac", "typed_config": tree{"rules": tree{"action": "DENY", "policies": tree{"x": tree{
		"permissions": []any{get}, "principals": []any{tree{"any": true}}}}}}}
}

func addRoute(r tree) func(tree) {
	return func(m tree) { m["routes"] = append(m["routes"].([]any), r) }
}

func egressCases() map[string]broken {
	return map[string]broken{
		"a sidecar needs no certificate":  {put("require_client_certificate", false), verify.ClientCertificateOptional, ""},
		"workloads of another namespace":  {text(".*/ns/default/.*", ".*/ns/other/.*"), verify.PolicyWider, "ns/other"},
		"another name is served":          {put("server_names", []any{"ratings.default.svc.cluster.local", "reviews.default.svc.cluster.local", "details.default.svc.cluster.local"}), verify.SNIExtra, "details"},
		"another path of the peer":        {text("/bookinfo/ratings/v1/", "/bookinfo/"), verify.RouteChanged, `"/bookinfo/"`},
		"the peer is anybody of the root": {each("match_subject_alt_names", func(m tree) { delete(m, "match_subject_alt_names") }), verify.ClusterUnverified, "may be any"},
		"the peer is one of two": {each("match_subject_alt_names", func(m tree) {
			m["match_subject_alt_names"] = append(m["match_subject_alt_names"].([]any), tree{"exact": "x"})
		}), verify.ClusterUnverified, "exact x"},
		"the peer is like it":        {each("match_subject_alt_names", func(m tree) { m["match_subject_alt_names"] = []any{tree{"prefix": "spiffe://c2.example.com/"}} }), verify.ClusterUnverified, "prefix"},
		"the peer of another root":   {text("kubernetes://c1-example-com-certs-cacert", "ROOTCA"), verify.ClusterUnverified, "ROOTCA"},
		"the peer may have expired":  {eased("allow_expired_certificate"), verify.ClusterUnverified, "allow_expired_certificate"},
		"another client certificate": {text("kubernetes://c1-example-com-certs", "default"), verify.ClusterCertificate, "default"},
		"no client certificate":      {cluster(each("tls_certificate_sds_secret_configs", func(m tree) { delete(m, "tls_certificate_sds_secret_configs") })), verify.ClusterCertificate, "none"},
		"another server name":        {cluster(each("sni", func(m tree) { m["sni"] = "x.example.com" })), verify.ClusterSNI, "x.example.com"},
		"the peer in plain text":     {cluster(func(c tree) { delete(c, "transport_socket") }), verify.ClusterPlainText, "the peer"},
		"another address":            {text("172.30.2.1", "172.30.9.9"), verify.ClusterAddress, "172.30.9.9:15443"},
		"no address":                 {each("dynamic_endpoint_configs", func(m tree) { delete(m, "dynamic_endpoint_configs") }), verify.ClusterAddress, "no address"},
		"the peer is not there":      {each("dynamic_active_clusters", func(m tree) { delete(m, "dynamic_active_clusters") }), verify.ClusterMissing, ""},
	}
}

func TestEveryBrokenGatewayIsNamed(t *testing.T) {
	seen := map[verify.Kind]bool{}
	for mesh, set := range map[string]struct {
		side  verify.Side
		cases map[string]broken
	}{"c2": {verify.Ingress, ingressCases()}, "c1": {verify.Egress, egressCases()}} {
		for name, c := range set.cases {
			t.Run(mesh+"/"+name, func(t *testing.T) {
				in := running(t, mesh)
				i := slices.IndexFunc(in.Dumps, func(d verify.Dump) bool { return d.Side == set.side })
				in.Dumps[i] = dump(t, mesh, set.side, c.breaks)
				r := verify.Check(in)
				assert.False(t, r.Proven())
				assert.True(t, slices.ContainsFunc(r.Findings, func(f verify.Finding) bool {
					return f.Kind == c.kind && strings.Contains(f.Detail, c.detail) && strings.Contains(f.Where, string(set.side))
				}), "want %s: …%s…; got: %v", c.kind, c.detail, r.Findings)
			})
			seen[c.kind] = true
		}
	}
	for _, elsewhere := range []verify.Kind{verify.ObjectMissing, verify.ObjectChanged, verify.ObjectExtra, verify.ForeignObject,
		verify.MeshConfig, verify.GatewayUnseen, verify.CertificateExpired} {
		seen[elsewhere] = true
	}
	for _, kind := range verify.Kinds() {
		assert.True(t, seen[kind], "no case is about %s", kind)
	}
}

func TestACertificateThatIsNotValidNowIsNamed(t *testing.T) {
	for name, now := range map[string]time.Time{"too late": taken().AddDate(30, 0, 0), "too early": taken().AddDate(-30, 0, 0)} {
		in := running(t, "c2")
		in.Now = now
		r := verify.Check(in)
		require.NotEmpty(t, r.Findings, name)
		for _, f := range r.Findings {
			assert.Equal(t, verify.CertificateExpired, f.Kind)
		}
	}
}

// One of two pods that lags behind is one too many.
func TestEachPodCounts(t *testing.T) {
	in := running(t, "c2")
	second := dump(t, "c2", verify.Ingress, put("require_client_certificate", false))
	second.Pod = "ingress-1"
	in.Dumps = append(in.Dumps, second)
	r := verify.Check(in)
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Findings[0].Where, "ingress-1")
}

// A gateway that nothing is declared for must not listen.
func TestAGatewayWithoutDeclarationsIsShut(t *testing.T) {
	in := running(t, "c2")
	in.Spec.Exposures, in.Wanted = nil, nil
	in.Objects = decode(t, owners)
	r := verify.Check(in)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, verify.ListenerExtra, r.Findings[0].Kind)
}

// Istio could ask for the same in other words, and narrower is not wider.
func TestAPolicyInOtherWordsIsUnderstood(t *testing.T) {
	in := running(t, "c2")
	in.Dumps[0] = dump(t, "c2", verify.Ingress, rules(func(m tree) {
		m["y"] = tree{"permissions": []any{tree{"and_rules": tree{"rules": []any{
			tree{"url_path": tree{"path": tree{"exact": "/bookinfo/ratings/v1/x"}}}, tree{"header": tree{"name": ":method", "exact_match": "GET"}},
			tree{"header": tree{"name": ":authority", "exact_match": "c2.example.com"}}, tree{"requested_server_name": tree{"exact": "c2.example.com"}},
			tree{"destination_port": 15443},
		}}}}, "principals": []any{tree{"authenticated": tree{"principal_name": tree{"exact": "spiffe://c3.example.com/istio-private-egressgateway"}}}}}
	}))
	assert.Empty(t, verify.Check(in).Findings)
}
