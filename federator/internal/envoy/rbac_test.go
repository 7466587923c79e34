package envoy

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unfold reads one policy and gives its clauses as text, sorted.
func unfold(t *testing.T, permissions, principals string) []string {
	t.Helper()
	p := &parser{}
	policy := p.policy("x", json.RawMessage(`{"rules":{"policies":{"r":{"permissions":`+permissions+`,"principals":`+principals+`}}}}`))
	require.NoError(t, p.err)
	require.Empty(t, p.Refused)
	require.Len(t, policy.Rules, 1)
	assert.Equal(t, "ALLOW", policy.Action, "Envoy's default")
	out := []string{}
	for _, c := range policy.Rules[0].Clauses {
		out = append(out, c.String())
	}
	slices.Sort(out)
	return out
}

func TestAPolicyUnfoldsIntoWhatItAdmits(t *testing.T) {
	const (
		anybody = `[{"any":true}]`
		c1      = `[{"authenticated":{"principal_name":{"exact":"spiffe://c1/x"}}}]`
		method  = `{"header":{"name":":method","string_match":{"exact":"GET"}}}`
		path    = `{"url_path":{"path":{"prefix":"/a/"}}}`
	)
	cases := map[string]struct {
		permissions, principals string
		want                    []string
	}{
		"everybody":                     {anybody, anybody, []string{"everything"}},
		"nobody":                        {`[{"not_rule":{"any":true}}]`, `[{"not_id":{"any":true}}]`, []string{}},
		"no permissions":                {`[]`, anybody, []string{}},
		"one caller":                    {anybody, c1, []string{"principal exact spiffe://c1/x"}},
		"any caller with a certificate": {anybody, `[{"authenticated":{}}]`, []string{"principal present "}},
		"all of two":                    {`[{"and_rules":{"rules":[` + method + `,` + path + `]}}]`, anybody, []string{"method exact GET, path prefix /a/"}},
		"one of two":                    {`[{"or_rules":{"rules":[` + method + `,` + path + `]}}]`, c1, []string{"method exact GET, principal exact spiffe://c1/x", "path prefix /a/, principal exact spiffe://c1/x"}},
		"not both":                      {`[{"not_rule":{"and_rules":{"rules":[` + method + `,` + path + `]}}}]`, anybody, []string{"not method exact GET", "not path prefix /a/"}},
		"neither":                       {`[{"not_rule":{"or_rules":{"rules":[` + method + `,` + path + `]}}}]`, anybody, []string{"not method exact GET, not path prefix /a/"}},
		"the name in the handshake":     {`[{"requested_server_name":{"exact":"c2"}}]`, anybody, []string{"sni exact c2"}},
		"where Istio keeps the peer": {anybody, `[{"filter_state":{"key":"io.istio.peer_principal","string_match":{"prefix":"spiffe://c1/"}}}]`,
			[]string{"principal prefix spiffe://c1/"}},
		"an older spelling":          {`[{"header":{"name":":authority","exact_match":"c2","invert_match":true}}]`, anybody, []string{"not authority exact c2"}},
		"what is not understood":     {`[{"metadata":{"filter":"x"}}]`, anybody, []string{`other unread {"metadata":{"filter":"x"}}`}},
		"a state of somebody else":   {anybody, `[{"filter_state":{"key":"x","string_match":{"exact":"y"}}}]`, []string{`other unread {"filter_state":{"key":"x","string_match":{"exact":"y"}}}`}},
		"any: false is not anything": {`[{"any":false}]`, anybody, []string{`other unread {"any":false}`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, unfold(t, c.permissions, c.principals)) })
	}
}

func TestAPolicyOfShadowRulesEnforcesNothing(t *testing.T) {
	p := &parser{}
	assert.Empty(t, p.policy("x", json.RawMessage(`{"shadow_rules":{"policies":{}}}`)).Action)
}

// SAD PATHS
func TestAPolicyTooLargeIsSaidToBeSo(t *testing.T) {
	or := `{"or_rules":{"rules":[`
	for i := range 400 {
		if i > 0 {
			or += ","
		}
		or += `{"requested_server_name":{"prefix":"a"}}`
	}
	or += "]}}"
	p := &parser{}
	p.policy("x", json.RawMessage(`{"rules":{"policies":{"r":{"permissions":[{"and_rules":{"rules":[`+or+`,`+or+`]}}],"principals":[{"any":true}]}}}}`))
	require.Len(t, p.Refused, 1)
	assert.Contains(t, p.Refused[0], "too large")
}

func TestOneMatcherImpliesAnotherOnlyIfItMust(t *testing.T) {
	m := func(k Kind, v string) Matcher { return Matcher{Kind: k, Value: v} }
	fold := func(k Kind, v string) Matcher { return Matcher{Kind: k, Value: v, Fold: true} }
	yes := [][2]Matcher{
		{m(Exact, "/a/b"), m(Prefix, "/a/")}, {m(Prefix, "/a/b"), m(Prefix, "/a/")}, {m(Exact, "a"), m(Exact, "a")},
		{m(Exact, "A"), fold(Exact, "a")}, {fold(Exact, "A"), fold(Exact, "a")}, {m(Exact, "ab"), m(Suffix, "b")},
		{m(Prefix, "a"), m(Present, "")}, {m(Exact, "x/ns/d/y"), m(Regex, ".*/ns/d/.*")}, {m(Prefix, "abc"), m(Contains, "b")},
	}
	no := [][2]Matcher{
		{m(Prefix, "/a"), m(Prefix, "/a/")}, {m(Prefix, "/a/"), m(Exact, "/a/")}, {fold(Exact, "a"), m(Exact, "a")},
		{m(Present, ""), m(Prefix, "a")}, {m(Regex, "/a/.*"), m(Prefix, "/a/")}, {m(Unread, "x"), m(Unread, "x")},
		{m(Exact, "x/ns/e/y"), m(Regex, ".*/ns/d/.*")}, {m(Suffix, "/a/"), m(Prefix, "/a/")}, {m(Prefix, ""), m(Present, "")},
		{m(Regex, "ab"), m(Contains, "b")},
	}
	for _, c := range yes {
		assert.True(t, c[0].Implies(c[1]), "%s implies %s", c[0], c[1])
	}
	for _, c := range no {
		assert.False(t, c[0].Implies(c[1]), "%s does not imply %s", c[0], c[1])
	}
}

func TestAPathIsJudgedAsEnvoyDoes(t *testing.T) {
	whole := HTTP{NormalizePath: true, MergeSlashes: true, EscapedSlashes: "UNESCAPE_AND_FORWARD"}
	base := HTTP{NormalizePath: true}
	cases := []struct {
		http       HTTP
		path, want string
	}{
		{whole, "/a/b", "/a/b"}, {whole, "/a//b", "/a/b"}, {whole, "/a/../b", "/b"}, {whole, "/a/%2e%2e/b", "/b"},
		{whole, "/a/..%2fb", "/b"}, {whole, "/a/%5C..%5Cb", "/a/b"}, {whole, "/a/./b/.", "/a/b/"}, {whole, "/a/..", "/"},
		{whole, "/a?x=/../y", "/a?x=/../y"}, {whole, "/../../a", "/a"}, {whole, "/%41%20", "/A%20"}, {whole, "/a%2", "/a%2"},
		{base, "/a/..%2fb", "/a/..%2fb"}, {base, "/a//b", "/a//b"}, {base, `/a\b`, "/a/b"}, {HTTP{}, "/a/../b", "/a/../b"},
	}
	for _, c := range cases {
		assert.Equal(t, c.want, Normalise(c.path, c.http), "%s with %+v", c.path, c.http)
	}
}

// SAD PATHS
func TestWhatIsNoDumpIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "<html>", "something else": `{"clusters":[]}`, "a part": `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump"}]}`,
		"a wrong type": `{"configs":[{"@type":"x.ListenersConfigDump","dynamic_listeners":[{"active_state":{"listener":{"name":1}}}]},{"@type":"x.ClustersConfigDump"},{"@type":"x.RoutesConfigDump"}]}`,
	} {
		_, err := Parse([]byte(text))
		assert.ErrorContains(t, err, "read the configuration of Envoy", name)
	}
}
