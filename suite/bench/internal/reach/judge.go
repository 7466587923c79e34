package reach

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic/wire"
)

// judge puts a result into the words of the steps. An answer counts as a
// workload's only if it bears the workload's own mark and this request's
// nonce: a gateway cannot know either.
func judge(r wire.Result) steps.Answer {
	a := steps.Answer{
		Status:  r.Status,
		Service: r.Headers.Get(wire.HeaderService),
		Version: r.Headers.Get(wire.HeaderVersion),
		Cluster: r.Headers.Get(wire.HeaderCluster),
		Body:    r.Body,
		Detail:  r.Detail,
	}
	switch {
	case r.Fault != wire.FaultNone:
		a.Kind = kindOfFault(r.Fault)
	case a.Service != "":
		a.Kind, a.Detail = kindOfWorkload(r)
	default:
		a.Kind = kindOfProxy(r)
		a.Detail = strings.TrimSpace(firstLine(r.Body))
	}
	return a
}

func kindOfWorkload(r wire.Result) (steps.Kind, string) {
	if echo := r.Headers.Get(wire.HeaderNonce); echo != r.Nonce {
		return steps.Unexpected, fmt.Sprintf("the answer is to another request: its nonce is %q", echo)
	}
	if r.Status < 200 || r.Status > 299 {
		return steps.Unexpected, firstLine(r.Body)
	}
	return steps.Answered, ""
}

// kindOfProxy is about an answer that no workload made.
func kindOfProxy(r wire.Result) steps.Kind {
	switch r.Status {
	case http.StatusForbidden:
		if strings.HasPrefix(r.Body, "RBAC: access denied") {
			return steps.Denied
		}
	case http.StatusNotFound:
		return steps.NoRoute
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return steps.Unavailable
	}
	return steps.Unexpected
}

func kindOfFault(f wire.Fault) steps.Kind {
	switch f {
	case wire.FaultAlert:
		return steps.Alert
	case wire.FaultRefused, wire.FaultReset, wire.FaultClosed:
		return steps.Cut
	case wire.FaultTimeout:
		return steps.TimedOut
	case wire.FaultUnroutable, wire.FaultResolve:
		return steps.Unreachable
	}
	return steps.Unexpected
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line[:min(len(line), 200)]
}
