package why_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
	"github.com/meshfed/meshfed/suite/bench/internal/why"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
)

// What gateways of Istio 1.31 and Envoy 1.39 wrote in a lab, shortened.
const (
	toEgress   = `"upstream_cluster":"outbound|443|ratings-default|istio-private-egressgateway.istio-private-gateways.svc.cluster.local","upstream_host":"10.1.0.4:8443"`
	toPeer     = `"upstream_cluster":"outbound|15443||c2.example.com","upstream_host":"172.30.2.1:15443"`
	toRatings  = `"upstream_cluster":"outbound|9080|v1|ratings.bookinfo.svc.cluster.local","upstream_host":"10.2.0.6:9080"`
	answered   = `"response_code":200,"response_code_details":"via_upstream","response_flags":"-"`
	failed     = `"response_code":503,"response_code_details":"via_upstream","response_flags":"-"`
	connecting = `"response_code":503,"response_code_details":"upstream_reset_before_response_started{remote_connection_failure}","response_flags":"URX,UF"`
	// refused is about a connection: it has no path.
	refused = `"path":null,"response_code":0,"response_code_details":"filter_chain_not_found","response_flags":"NR","requested_server_name":"c9.example.com"`
)

func lines(t *testing.T, texts ...string) []accesslog.Line {
	t.Helper()
	var log strings.Builder
	log.WriteString("starting\n")
	for _, text := range texts {
		head := `{"start_time":"2026-01-02T03:04:05.000Z",`
		if !strings.Contains(text, `"path"`) {
			head += `"method":"GET","path":"/ratings/0?why=1",`
		}
		require.True(t, json.Valid([]byte(head+text+"}")), text)
		log.WriteString(head + text + "}\n")
	}
	log.WriteString(`{"start_time":"2026-01-02T03:04:05.000Z","path":"/other","response_code":500}` + "\n")
	return why.Lines([]byte(log.String()), "why=1")
}

func TestTheLayerIsNamedByTheFirstProxyThatStopped(t *testing.T) {
	const certificate = `,"upstream_transport_failure_reason":"TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: certificate has expired:TLS_error_end"`
	const reset = `,"upstream_transport_failure_reason":"TLS_error:|33554536:system_library:OPENSSL_internal:Connection_reset_by_peer:TLS_error_end"`
	cases := map[string]struct {
		answer                   traffic.Outcome
		sidecar, egress, ingress []string
		want                     steps.Layer
		story                    string
	}{
		"nothing":                          {sidecar: []string{answered + "," + toEgress}, egress: []string{answered + "," + toPeer}, ingress: []string{answered + "," + toRatings}, want: steps.LayerNone},
		"answered at home":                 {sidecar: []string{answered + `,"upstream_cluster":"outbound|9080|v1|ratings.default.svc.cluster.local"`}, want: steps.LayerNone, story: "own mesh"},
		"no such name":                     {answer: traffic.Outcome{Kind: traffic.Unreachable, Fault: wire.FaultResolve}, want: steps.LayerName},
		"never seen":                       {answer: traffic.Outcome{Kind: traffic.Unreachable, Fault: wire.FaultRefused}, want: steps.LayerConsumerRoute},
		"no route at home":                 {sidecar: []string{`"response_code":404,"response_code_details":"route_not_found","response_flags":"NR"`}, want: steps.LayerConsumerRoute},
		"fails at home":                    {sidecar: []string{`"response_code":503,"response_code_details":"no_healthy_upstream","response_flags":"UH","upstream_cluster":"outbound|9080||ratings.default.svc.cluster.local"`}, want: steps.LayerConsumerRoute, story: "own mesh"},
		"the egress gateway is away":       {sidecar: []string{connecting + "," + toEgress}, want: steps.LayerEgressTLS},
		"the egress gateway denies":        {sidecar: []string{failed + "," + toEgress}, egress: []string{`"response_code":403,"response_code_details":"rbac_access_denied_matched_policy[none]","response_flags":"-"`}, want: steps.LayerPolicy, story: "egress"},
		"the egress gateway has no route":  {sidecar: []string{failed + "," + toEgress}, egress: []string{`"response_code":404,"response_code_details":"route_not_found","response_flags":"NR"`}, want: steps.LayerConsumerRoute},
		"nobody is there":                  {sidecar: []string{failed + "," + toEgress}, egress: []string{connecting + "," + toPeer + `,"upstream_transport_failure_reason":"delayed_connect_error:_No_route_to_host"`}, want: steps.LayerAddress, story: "No_route_to_host"},
		"no healthy address":               {sidecar: []string{failed + "," + toEgress}, egress: []string{`"response_code":503,"response_code_details":"no_healthy_upstream","response_flags":"UH"`}, want: steps.LayerAddress},
		"wrong server name":                {sidecar: []string{failed + "," + toEgress}, egress: []string{connecting + "," + toPeer + reset}, ingress: []string{refused}, want: steps.LayerSNI, story: "c9.example.com"},
		"a reset, no log":                  {sidecar: []string{failed + "," + toEgress}, egress: []string{connecting + "," + toPeer + reset}, want: steps.LayerSNI},
		"expired":                          {sidecar: []string{failed + "," + toEgress}, egress: []string{connecting + "," + toPeer + certificate}, want: steps.LayerHandshake, story: "expired"},
		"the peer denies":                  {sidecar: []string{failed + "," + toEgress}, egress: []string{`"response_code":403,"response_code_details":"via_upstream","response_flags":"-",` + toPeer}, ingress: []string{`"response_code":403,"response_code_details":"rbac_access_denied_matched_policy[none]","response_flags":"-"`}, want: steps.LayerPolicy, story: "peer"},
		"the peer has no route":            {sidecar: []string{failed + "," + toEgress}, egress: []string{answered + "," + toPeer}, ingress: []string{`"response_code":404,"response_code_details":"route_not_found","response_flags":"NR"`}, want: steps.LayerRoute},
		"missing subset":                   {sidecar: []string{failed + "," + toEgress}, egress: []string{failed + "," + toPeer}, ingress: []string{`"response_code":503,"response_code_details":"cluster_not_found","response_flags":"NC"`}, want: steps.LayerRoute, story: "subset"},
		"the service is away":              {sidecar: []string{failed + "," + toEgress}, egress: []string{failed + "," + toPeer}, ingress: []string{connecting + "," + toRatings}, want: steps.LayerBackend},
		"the service fails":                {sidecar: []string{failed + "," + toEgress}, egress: []string{failed + "," + toPeer}, ingress: []string{failed + "," + toRatings}, want: steps.LayerBackend, story: "503"},
		"somebody else answers":            {sidecar: []string{failed + "," + toEgress}, egress: []string{answered + "," + toPeer}, want: steps.LayerAddress, story: "something else"},
		"the last of several tries counts": {sidecar: []string{answered + "," + toEgress}, egress: []string{connecting + "," + toPeer, answered + "," + toPeer}, ingress: []string{answered + "," + toRatings}, want: steps.LayerNone},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := why.Way{Answer: c.answer, EgressGateway: "istio-private-egressgateway",
				Sidecar: lines(t, c.sidecar...), Egress: lines(t, c.egress...), Ingress: lines(t, c.ingress...)}
			d := w.Judge()
			assert.Equal(t, c.want, d.Layer, d.Story)
			assert.Contains(t, d.Story, c.story)
			assert.Contains(t, steps.Layers(), d.Layer)
		})
	}
}

func TestNoProxyIsJudgedBeforeItHasWritten(t *testing.T) {
	w := why.Way{EgressGateway: "istio-private-egressgateway"}
	assert.False(t, w.Complete(), "nobody has said anything")
	w.Answer.Fault = wire.FaultResolve
	assert.True(t, w.Complete(), "nobody has anything to say")
	w.Answer.Fault = wire.FaultNone
	w.Sidecar = lines(t, answered+","+toEgress)
	assert.False(t, w.Complete(), "the egress gateway has not")
	w.Egress = lines(t, answered+","+toPeer)
	assert.False(t, w.Complete(), "the peer's has not")
	w.Ingress = lines(t, refused)
	assert.False(t, w.Complete(), "only about another connection")
	w.Ingress = lines(t, answered+","+toRatings)
	assert.True(t, w.Complete())
	assert.Len(t, w.Judge().Way, 3)
}

func TestAScenarioIsJudgedFromItsEvidence(t *testing.T) {
	line := func(nonce, rest string) string {
		return `{"start_time":"2026-01-02T03:04:05.000Z","nonce":"` + nonce + `","method":"GET","path":"/ratings/0",` + rest + "}\n"
	}
	write := func(dir string, files map[string]string) {
		for name, text := range files {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	dir := t.TempDir()
	write(dir, map[string]string{
		"requests.txt": "03:04:04.000 GET http://ratings in c1 [nonce a]: allowed by ratings v1 of c2\n" +
			"03:04:05.000 GET http://ratings in c1 [nonce b]: denied by policy (HTTP 403)\n" +
			"GET http://ratings in c1 [nonce c]: not sent: context deadline exceeded\n",
		"c1-pod-logs.txt": "--- default/sleep-0 sleep (Running)\nhello\n--- default/sleep-0 istio-proxy (Running)\n" +
			line("a", answered+","+toEgress) + line("b", `"response_code":403,"response_code_details":"via_upstream",`+toEgress),
		"c1-istio-private-egressgateway-log.txt":  line("a", answered+","+toPeer) + line("b", `"response_code":403,"response_code_details":"via_upstream",`+toPeer),
		"c2-istio-private-ingressgateway-log.txt": line("a", answered+","+toRatings) + line("b", `"response_code":403,"response_code_details":"rbac_access_denied_matched_policy[none]"`),
	})
	d, request, err := why.FromEvidence(dir, "istio-private-egressgateway")
	require.NoError(t, err)
	assert.Equal(t, steps.LayerPolicy, d.Layer, d.Story)
	assert.Contains(t, request, "denied by policy")
	assert.Len(t, d.Way, 3)

	// SAD PATHS
	_, _, err = why.FromEvidence(t.TempDir(), "x")
	require.ErrorContains(t, err, "requests.txt")
	green := t.TempDir()
	write(green, map[string]string{"requests.txt": "03:04:04.000 GET x in c1 [nonce a]: allowed by ratings\n"})
	_, _, err = why.FromEvidence(green, "x")
	require.ErrorContains(t, err, "every request")
}
