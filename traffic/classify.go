package traffic

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/meshfed/meshfed/traffic/wire"
)

// accessDenied is the whole body of an answer of Envoy's RBAC filter.
const accessDenied = "RBAC: access denied"

// grpcDenied is the code PERMISSION_DENIED of gRPC.
const grpcDenied = "7"

// Classify says what a result means, given who was expected to answer. It is
// pure: the same result is always the same outcome.
//
// Whether a fixture or a proxy answered is told by the headers that fixtures
// set on every answer. A status alone proves nothing: a backend answers 403
// and 404 too, and then the request has passed the boundary.
func Classify(r wire.Result, alert TLSAlert, want Backend) Outcome {
	o := Outcome{
		Status: r.Status, Fault: r.Fault, Nonce: r.Nonce, Latency: r.Latency,
		Header: r.Headers, Body: r.Body, Proxy: r.Headers.Get("Server"), Reason: r.Detail,
	}
	switch {
	case r.Fault != wire.FaultNone:
		o.Kind = kindOfFault(r.Fault)
		if o.Kind == HandshakeRefused {
			o.Alert, o.Reason = alert, "alert "+string(alert)
		}
	case r.Headers.Get(wire.HeaderService) != "":
		o.Backend = backendOf(r)
		o.Kind, o.Reason = kindOfBackend(o, want)
	default:
		o.Kind, o.Reason = kindOfProxy(r)
	}
	return o
}

func kindOfFault(f wire.Fault) Kind {
	switch f {
	case wire.FaultAlert:
		return HandshakeRefused
	case wire.FaultReset, wire.FaultClosed:
		return Reset
	case wire.FaultTimeout:
		return TimedOut
	case wire.FaultRefused, wire.FaultUnroutable, wire.FaultResolve:
		return Unreachable
	case wire.FaultServerIdentity:
		// It was we who refused: no claim about a refusal may rest on it.
		return WrongBackend
	default:
		return Unexpected
	}
}

// backendOf is who answered. The body of reviews names its maker too; where
// the two differ, somebody has changed one of them.
func backendOf(r wire.Result) Backend {
	h := r.Headers
	b := Backend{Service: h.Get(wire.HeaderService), Version: h.Get(wire.HeaderVersion), Cluster: h.Get(wire.HeaderCluster), Pod: h.Get(wire.HeaderPod)}
	var body struct{ PodName, ClusterName string }
	if b.Service == "reviews" && json.Unmarshal([]byte(r.Body), &body) == nil && body.PodName != "" && body.PodName != b.Pod {
		b.Pod, b.Cluster = "header "+b.Pod+", body "+body.PodName, "header "+b.Cluster+", body "+body.ClusterName
	}
	return b
}

func kindOfBackend(o Outcome, want Backend) (Kind, string) {
	switch {
	case o.Nonce != "" && o.Header.Get(wire.HeaderNonce) != o.Nonce:
		return WrongBackend, fmt.Sprintf("the answer is to nonce %q", o.Header.Get(wire.HeaderNonce))
	case !o.Backend.Fits(want):
		return WrongBackend, "want " + want.String()
	case o.Status >= 400:
		return Unexpected, "the backend itself answered " + http.StatusText(o.Status)
	}
	return Allowed, ""
}

func kindOfProxy(r wire.Result) (Kind, string) {
	reason := firstLine(r.Body)
	switch r.Status {
	case http.StatusOK:
		// gRPC has its own words for it, in the head alone.
		if r.Headers.Get("Grpc-Status") == grpcDenied && r.Headers.Get("Grpc-Message") == accessDenied {
			return DeniedByPolicy, accessDenied
		}
	case http.StatusForbidden:
		if strings.TrimSpace(r.Body) == accessDenied || withheld(r, accessDenied) {
			return DeniedByPolicy, accessDenied
		}
	case http.StatusNotFound:
		if reason == "" {
			return NoRoute, http.StatusText(r.Status)
		}
	case http.StatusMisdirectedRequest:
		return NoRoute, http.StatusText(r.Status)
	case http.StatusBadRequest, http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestURITooLong:
		return Malformed, cmp.Or(reason, http.StatusText(r.Status))
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return UpstreamFailed, cmp.Or(reason, http.StatusText(r.Status))
	}
	return Unexpected, fmt.Sprintf("no fixture answered: %s", cmp.Or(reason, http.StatusText(r.Status)))
}

// withheld says whether an answer to HEAD stands for that body: it has none,
// and tells its length.
func withheld(r wire.Result, body string) bool {
	return r.Body == "" && r.Headers.Get("Content-Length") == strconv.Itoa(len(body))
}

// firstLine keeps a reason to what fits a line of a report.
func firstLine(body string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	if len(line) > 300 {
		line = line[:300] + "…"
	}
	return line
}
