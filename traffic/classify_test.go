package traffic

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/traffic/wire"
)

func fixtureAnswer(status int, change ...func(http.Header)) wire.Result {
	h := http.Header{}
	for name, value := range map[string]string{
		wire.HeaderService: "reviews", wire.HeaderVersion: "v2", wire.HeaderCluster: "c2", wire.HeaderPod: "reviews-v2-x", wire.HeaderNonce: "n", "Server": "istio-envoy",
	} {
		h.Set(name, value)
	}
	for _, f := range change {
		f(h)
	}
	return wire.Result{Status: status, Headers: h, Nonce: "n"}
}

func proxyAnswer(status int, body string) wire.Result {
	return wire.Result{Status: status, Body: body, Nonce: "n", Headers: http.Header{"Server": {"istio-envoy"}}}
}

// grpcAnswer is a proxy's refusal of a gRPC call.
func grpcAnswer(code, message string) wire.Result {
	r := proxyAnswer(200, "")
	r.Headers.Set("Grpc-Status", code)
	r.Headers.Set("Grpc-Message", message)
	return r
}

// headed is a proxy's 403 to HEAD: the length of a body, and no body.
func headed(length int) wire.Result {
	r := proxyAnswer(403, "")
	r.Headers.Set("Content-Length", strconv.Itoa(length))
	return r
}

func TestEveryResultHasOneOutcome(t *testing.T) {
	want := Backend{Service: "reviews", Version: "v2", Cluster: "c2"}
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	bodied := fixtureAnswer(200)
	bodied.Body = `{"podname":"reviews-v1-y","clustername":"c1"}`
	for name, c := range map[string]struct {
		result wire.Result
		kind   Kind
		reason string
	}{
		"the expected backend":             {fixtureAnswer(200), Allowed, ""},
		"a redirect of the backend":        {fixtureAnswer(302), Allowed, ""},
		"another version":                  {fixtureAnswer(200, set(wire.HeaderVersion, "v3")), WrongBackend, "want reviews v2 of c2"},
		"another cluster":                  {fixtureAnswer(200, set(wire.HeaderCluster, "c1")), WrongBackend, "want reviews v2 of c2"},
		"another service":                  {fixtureAnswer(200, set(wire.HeaderService, "ratings")), WrongBackend, "want reviews v2 of c2"},
		"an answer to another request":     {fixtureAnswer(200, set(wire.HeaderNonce, "m")), WrongBackend, `nonce "m"`},
		"a body of another maker":          {bodied, WrongBackend, "want reviews"},
		"the backend's own 404":            {fixtureAnswer(404), Unexpected, "backend itself answered Not Found"},
		"the backend's own 403":            {fixtureAnswer(403), Unexpected, "backend itself answered Forbidden"},
		"policy":                           {proxyAnswer(403, "RBAC: access denied"), DeniedByPolicy, "RBAC: access denied"},
		"policy, asked by HEAD":            {headed(19), DeniedByPolicy, "RBAC: access denied"},
		"policy, asked by gRPC":            {grpcAnswer("7", "RBAC: access denied"), DeniedByPolicy, "RBAC: access denied"},
		"another refusal by gRPC":          {grpcAnswer("7", "no"), Unexpected, "OK"},
		"another code of gRPC":             {grpcAnswer("0", "RBAC: access denied"), Unexpected, "OK"},
		"another 403, asked by HEAD":       {headed(20), Unexpected, "Forbidden"},
		"some other 403":                   {proxyAnswer(403, "Forbidden by WAF"), Unexpected, "Forbidden by WAF"},
		"a 403 that quotes the words":      {proxyAnswer(403, "<p>RBAC: access denied</p>"), Unexpected, ""},
		"no route":                         {proxyAnswer(404, ""), NoRoute, "Not Found"},
		"a 404 with a page":                {proxyAnswer(404, "<html>"), Unexpected, "no fixture answered"},
		"misdirected":                      {proxyAnswer(421, ""), NoRoute, "Misdirected"},
		"malformed":                        {proxyAnswer(400, ""), Malformed, "Bad Request"},
		"headers too large":                {proxyAnswer(431, ""), Malformed, "Request Header Fields Too Large"},
		"nobody upstream":                  {proxyAnswer(503, "no healthy upstream"), UpstreamFailed, "no healthy upstream"},
		"upstream too slow":                {proxyAnswer(504, "upstream request timeout"), UpstreamFailed, "upstream request timeout"},
		"a proxy's 200":                    {proxyAnswer(200, "welcome"), Unexpected, "no fixture answered: welcome"},
		"a proxy's redirect":               {proxyAnswer(301, ""), Unexpected, "Moved Permanently"},
		"reset":                            {wire.Result{Fault: wire.FaultReset, Detail: "d"}, Reset, "d"},
		"closed":                           {wire.Result{Fault: wire.FaultClosed}, Reset, ""},
		"timed out":                        {wire.Result{Fault: wire.FaultTimeout}, TimedOut, ""},
		"refused":                          {wire.Result{Fault: wire.FaultRefused}, Unreachable, ""},
		"no route to the host":             {wire.Result{Fault: wire.FaultUnroutable}, Unreachable, ""},
		"no such name":                     {wire.Result{Fault: wire.FaultResolve}, Unreachable, ""},
		"an alert":                         {wire.Result{Fault: wire.FaultAlert}, HandshakeRefused, "alert unknown_ca"},
		"a server we refuse is no refusal": {wire.Result{Fault: wire.FaultServerIdentity, Detail: "d"}, WrongBackend, "d"},
		"not HTTP":                         {wire.Result{Fault: wire.FaultProtocol}, Unexpected, ""},
		"a fault of no kind":               {wire.Result{Fault: wire.FaultOther}, Unexpected, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := Classify(c.result, "unknown_ca", want)
			require.Equal(t, c.kind, o.Kind, o.String())
			require.Contains(t, o.Reason, c.reason)
			require.Equal(t, o.Kind == HandshakeRefused, o.Alert != "")
		})
	}
}

func TestAnyFixtureFitsAnEmptyExpectation(t *testing.T) {
	o := Classify(fixtureAnswer(200), "", Backend{})
	require.Equal(t, Allowed, o.Kind)
	require.Equal(t, Backend{"reviews", "v2", "c2", "reviews-v2-x"}, o.Backend)
	require.Equal(t, "allowed by reviews v2 of c2 (reviews-v2-x) (HTTP 200)", o.String())
	require.Equal(t, "istio-envoy", o.Proxy)
}

func TestReasonsFitALine(t *testing.T) {
	o := Classify(proxyAnswer(503, strings.Repeat("x", 1000)+"\nsecond"), "", Backend{})
	require.Less(t, len(o.Reason), 310)
	require.NotContains(t, o.Reason, "\n")
}

func TestAlertsAreNamedAsInTheRFC(t *testing.T) {
	require.Equal(t, TLSAlert("certificate_required"), AlertNamed(116))
	require.Equal(t, TLSAlert("unknown_ca"), AlertNamed(48))
	require.Equal(t, TLSAlert("alert_200"), AlertNamed(200))
}
