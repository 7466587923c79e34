package steps

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/traffic"
)

// by says whether a workload that fits answered.
func by(want traffic.Backend) func(traffic.Outcome) bool {
	return func(o traffic.Outcome) bool { return o.Kind == traffic.Allowed && o.Backend.Fits(want) }
}

// gotIn says whether a workload has answered, whatever it said.
func gotIn(o traffic.Outcome) bool {
	return o.Kind == traffic.Allowed || o.Backend != (traffic.Backend{})
}

// turnedAway says that somebody else than a workload has answered, or ended it. Of
// a request that timed out nobody knows, nor of one that we have not sent because
// the server was not whom we wanted.
func turnedAway(o traffic.Outcome) bool {
	return !gotIn(o) && o.Kind != traffic.TimedOut && o.Kind != traffic.WrongBackend
}

// refusal is a way to be refused, in the words of the features.
type refusal struct {
	kinds []traffic.Kind
	// alert that must have ended the handshake, if it is not empty.
	alert traffic.TLSAlert
	// frame of HTTP/2 that must have ended it, if it is not empty.
	frame string
	// status that the proxy must have answered, if it is not zero.
	status int
	// unheard: nobody has looked at the certificate. A server that refuses it is
	// a server that was reached.
	unheard bool
}

// unheard are the refusals of a connection that no TLS server has taken.
func unheard() refusal {
	return refusal{kinds: []traffic.Kind{traffic.Reset, traffic.HandshakeRefused}, unheard: true}
}

// aboutCertificate says whether an alert is about the caller's certificate.
func aboutCertificate(alert traffic.TLSAlert) bool {
	return strings.Contains(string(alert), "certificate") || alert == "unknown_ca" || alert == "access_denied" || alert == "decrypt_error"
}

// parseRefusal reads a refusal in the words of the features.
func parseRefusal(words string) (refusal, error) {
	if alert, is := strings.CutPrefix(words, "TLS alert "); is {
		return refusal{kinds: []traffic.Kind{traffic.HandshakeRefused}, alert: traffic.TLSAlert(alert)}, nil
	}
	if strings.HasPrefix(words, "GOAWAY ") || strings.HasPrefix(words, "RST_STREAM ") {
		return refusal{kinds: []traffic.Kind{traffic.Reset}, frame: words}, nil
	}
	// Whoever cuts the connection, and at which byte, is up to the proxy and the
	// path to it; that there was neither TLS nor HTTP is not.
	if words == "no handshake" {
		return unheard(), nil
	}
	// A coding that nobody knows has a status of its own.
	if words == "not implemented" {
		return refusal{kinds: []traffic.Kind{traffic.Unexpected}, status: http.StatusNotImplemented}, nil
	}
	known := map[string][]traffic.Kind{
		"denied by policy": {traffic.DeniedByPolicy},
		"no route":         {traffic.NoRoute},
		"malformed":        {traffic.Malformed},
		// Either says that the gateway has read it and will not have it.
		"malformed or denied": {traffic.Malformed, traffic.DeniedByPolicy},
		// Envoy says no more to an HTTP/2 that it cannot read.
		"connection ended": {traffic.Reset},
		// Which of the two comes first is a race between the head and what
		// follows it.
		"denied or ended": {traffic.DeniedByPolicy, traffic.Reset},
		// In TLS 1.3 the request is under way before the alert is there, and the
		// gateway's reset may then overtake it: about once in 400 times.
		"handshake refused or ended": {traffic.HandshakeRefused, traffic.Reset},
		"no connection":              {traffic.Reset, traffic.Unreachable},
	}
	kinds, is := known[words]
	if !is {
		return refusal{}, fmt.Errorf(`a refusal %q: want "denied by policy", "no route", "malformed", "malformed or denied", "not implemented", "TLS alert …", "GOAWAY …", "RST_STREAM …", "connection ended", "denied or ended", "no handshake" or "no connection"`, words)
	}
	return refusal{kinds: kinds}, nil
}

func (r refusal) fits(o traffic.Outcome) bool {
	return slices.Contains(r.kinds, o.Kind) && (r.alert == "" || o.Alert == r.alert) && (r.frame == "" || o.Frame == r.frame) &&
		(!r.unheard || !aboutCertificate(o.Alert)) && (r.status == 0 || o.Status == r.status && o.Backend == (traffic.Backend{}))
}
