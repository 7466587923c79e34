package explain_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/explain"
	"github.com/meshfed/meshfed/federator/internal/render"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// What gateways of Istio 1.31 and Envoy 1.39 wrote, shortened; the second is of
// Istio's default format.
const (
	failedInJSON = `{"start_time":"2026-11-26T14:06:%02d.000Z","path":"/x","response_code":503,"response_flags":"URX,UF","response_code_details":"upstream_reset_before_response_started{remote_connection_failure|%[2]s}","upstream_transport_failure_reason":null,"upstream_cluster":"outbound|15443||c2.example.com"}`
	failedInText = `[2026-11-26T14:06:%02d.000Z] "GET /ratings/0 HTTP/1.1" 503 URX,UF upstream_reset_before_response_started{remote_connection_failure|x} - "%[2]s" 0 95 74 - "10.1.0.8" "curl" "id" "c2.example.com" "172.30.2.1:15443" outbound|15443||c2.example.com - 10.1.0.5:8443 10.1.0.8:55696 ratings.default.svc.cluster.local -`
	inJSON       = `{"start_time":"2026-11-26T14:06:%02d.000Z","path":"/x","response_code":200,"response_flags":"-","response_code_details":"via_upstream","upstream_cluster":"outbound|15443||c2.example.com"}`
	reset        = "TLS_error:|33554536:system_library:OPENSSL_internal:Connection_reset_by_peer:TLS_error_end"
	expired      = "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: certificate has expired:TLS_error_end"
	unreached    = "delayed_connect_error:_No_route_to_host"
	counted      = `{"cluster_statuses":[{"name":"outbound|15443||c2.example.com","host_statuses":[{"address":{"socket_address":{"address":"172.30.2.1","port_value":15443}},"stats":[{"name":"cx_total","value":"%d"},{"name":"cx_connect_fail","value":"%d"},{"name":"rq_total"}],"health_status":{"eds_health_status":"HEALTHY"%s}}]}]}`
)

// egress is c1's gateway as it ran with the seed's declarations, or broken by a
// replacement, with what it has counted and logged since.
func egress(t *testing.T, from, to, clusters, log string) verify.Dump {
	t.Helper()
	raw, err := os.ReadFile("../verify/testdata/c1-egress.json")
	require.NoError(t, err)
	text := string(raw)
	if from != "" {
		require.Contains(t, text, from, "the case changes nothing")
		text = strings.ReplaceAll(text, from, to)
	}
	config, err := envoy.Parse([]byte(text))
	require.NoError(t, err)
	if clusters != "" {
		require.NoError(t, config.Count([]byte(clusters)))
	}
	config.Hear([]byte("envoy is ready\n" + log))
	return verify.Dump{Side: verify.Egress, Pod: "egress-0", Port: 8443, Config: config}
}

// leading are the objects of the seed's consumer, without those of a kind.
func leading(t *testing.T, spec api.Spec, without string) explain.Objects {
	t.Helper()
	objects, err := render.Objects(spec, render.Facts{})
	require.NoError(t, err)
	var out explain.Objects
	for _, o := range objects {
		switch kind := o.GetKind(); {
		case kind == without:
		case kind == "Service":
			out.Services = append(out.Services, *o)
		case kind == "VirtualService" && o.GetNamespace() == "default":
			out.VirtualServices = append(out.VirtualServices, *o)
		case kind == "DestinationRule":
			out.DestinationRules = append(out.DestinationRules, *o)
		case kind == "ServiceEntry":
			out.ServiceEntries = append(out.ServiceEntries, *o)
		}
	}
	return out
}

func TestTheLayerThatEndsACallOnItsWayOutIsNamed(t *testing.T) {
	spec, err := api.Load("../../testdata/seed/c1.yaml")
	require.NoError(t, err)
	ratings := explain.Question{Host: "ratings", Path: "/ratings/0", At: taken()}
	at := func(format string, args ...any) string { return fmt.Sprintf(format, args...) + "\n" }
	cases := map[string]struct {
		question explain.Question
		// from and to break the gateway; clusters and log are what it says.
		from, to, clusters, log string
		// without is a kind of object that is not there.
		without  string
		declared bool
		last     envoy.Layer
		story    string
	}{
		"it leaves":                   {question: ratings, declared: true, last: envoy.LayerHandshake, story: "exact spiffe://c2.example.com/istio-private-ingressgateway"},
		"and was answered":            {question: ratings, log: at(failedInJSON, 1, reset) + at(inJSON, 2), clusters: at(counted, 3, 2, ""), declared: true, last: envoy.LayerHandshake, story: "answered, at 2026-11-26T14:06:02"},
		"jason's reviews do":          {question: explain.Question{Host: "reviews.default", Path: "/reviews/0", Headers: map[string]string{"end-user": "jason"}}, declared: true, last: envoy.LayerHandshake},
		"others' stay, as declared":   {question: explain.Question{Host: "reviews.default", Path: "/reviews/0"}, last: envoy.LayerConsumerRoute, story: "stays in this mesh"},
		"a path in a log is no cause": {question: ratings, log: at(strings.Replace(inJSON, "/x", "/CERTIFICATE,UF,", 1), 1), declared: true, last: envoy.LayerHandshake, story: "answered"},

		"another one's log is none": {question: ratings, log: at(failedInJSON, 1, reset), clusters: at(counted, 0, 0, ""), declared: true, last: envoy.LayerHandshake, story: "by the roots of"},

		// FAULTS
		"no Service":                   {question: ratings, without: "Service", declared: true, last: envoy.LayerName, story: "does not resolve"},
		"no VirtualService":            {question: ratings, without: "VirtualService", declared: true, last: envoy.LayerConsumerRoute, story: "no VirtualService routes"},
		"no DestinationRule":           {question: ratings, without: "DestinationRule", declared: true, last: envoy.LayerEgressTLS, story: "no DestinationRule"},
		"the gateway lacks the name":   {question: ratings, from: `"ratings.default.svc.cluster.local"`, to: `"x.default.svc.cluster.local"`, declared: true, last: envoy.LayerEgressTLS, story: "no filter chain"},
		"the gateway denies":           {question: ratings, from: ".*/ns/default/.*", to: ".*/ns/other/.*", declared: true, last: envoy.LayerPolicy, story: "denied"},
		"the peer's cluster is gone":   {question: ratings, from: `"name": "outbound|15443||c2.example.com"`, to: `"name": "outbound|15443||c9.example.com"`, declared: true, last: envoy.LayerConsumerRoute, story: "503"},
		"the peer is spoken to openly": {question: ratings, from: `"transport_socket": {"name": "envoy.transport_sockets.tls"`, to: `"transport_socket": {"name": "raw"`, declared: true, last: envoy.LayerHandshake, story: "without TLS"},
		"the certificate has expired":  {question: explain.Question{Host: "ratings", Path: "/ratings/0", At: taken().AddDate(20, 0, 0)}, declared: true, last: envoy.LayerEgressTLS, story: "valid from"},
		"no address is healthy":        {question: ratings, clusters: at(counted, 3, 3, `,"failed_outlier_check":true`), declared: true, last: envoy.LayerAddress, story: "172.30.2.1:15443 (not healthy)"},
		"nobody is there":              {question: ratings, log: at(failedInJSON, 1, unreached), clusters: at(counted, 3, 3, ""), declared: true, last: envoy.LayerAddress, story: unreached},
		"nobody is there, in text":     {question: ratings, log: at(failedInText, 1, unreached), declared: true, last: envoy.LayerAddress, story: "2026-11-26T14:06:01.000Z, failed: " + unreached},
		"nothing says why":             {question: ratings, clusters: at(counted, 3, 3, ""), declared: true, last: envoy.LayerAddress, story: "3 connections, 3 of them failed"},
		"the name is not served":       {question: ratings, log: at(failedInJSON, 1, reset), declared: true, last: envoy.LayerSNI, story: `"c2.example.com"`},
		"the name is not served, text": {question: ratings, log: at(failedInText, 1, strings.ReplaceAll(reset, "_", " ")), declared: true, last: envoy.LayerSNI, story: `"c2.example.com"`},
		"the peer's has expired":       {question: ratings, log: at(failedInJSON, 1, expired), declared: true, last: envoy.LayerHandshake, story: "certificate has expired"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			consumed, err := c.question.Consumed(spec)
			require.NoError(t, err)
			require.NotNil(t, consumed)
			a, err := explain.AskConsumer(spec, *consumed, leading(t, spec, c.without), egress(t, c.from, c.to, c.clusters, c.log), c.question)
			require.NoError(t, err)
			last := a.Steps[len(a.Steps)-1]
			assert.Equal(t, c.declared, a.Declared)
			assert.Equal(t, c.last, last.Layer, "%+v", a.Steps)
			assert.Contains(t, last.Story, c.story)
			assert.Equal(t, last.Passed, a.Reaches)
			assert.Equal(t, "the peer's gateway", a.Goal)
		})
	}
}

func TestWhoAsksIsToldByTheHost(t *testing.T) {
	spec, err := api.Load("../../testdata/seed/c1.yaml")
	require.NoError(t, err)
	other := spec.Consumptions[1]
	other.Namespace = "other"
	spec.Consumptions = append(spec.Consumptions, other)
	for host, want := range map[string]string{
		"reviews": "default/reviews", "reviews.default:9080": "default/reviews", "ratings.other.svc": "other/ratings",
		"ratings.default.svc.cluster.local": "default/ratings", "c1.example.com": "", "": "", "reviews.other": "",
	} {
		got, err := explain.Question{Host: host}.Consumed(spec)
		require.NoError(t, err, host)
		if want == "" {
			assert.Nil(t, got, host)
			continue
		}
		require.NotNil(t, got, host)
		assert.Equal(t, want, got.Namespace+"/"+got.Name)
	}
	_, err = explain.Question{Host: "ratings"}.Consumed(spec)
	require.ErrorContains(t, err, "add the namespace")
	got, err := explain.Question{Host: "reviews", Peer: "c2"}.Consumed(spec)
	require.NoError(t, err)
	assert.Nil(t, got, "a peer's request comes in")
}
