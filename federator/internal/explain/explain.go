package explain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// Question is a request of a peer at the ingress gateway, or one of a workload for
// a consumed name.
type Question struct {
	// Peer by name; empty asks for a caller without a certificate.
	Peer   string
	Method string
	Path   string
	// SNI and Host are those of the peer's entrance when they are empty. Without a
	// peer, a host that a Consumption serves is asked for by this mesh's own workloads.
	SNI, Host string
	// Headers of the request by their names in lower case.
	Headers map[string]string
	// At is when it is asked: certificates have their time. Zero leaves them out.
	At time.Time
}

// Answer is what becomes of it at one pod of the gateway.
type Answer struct {
	Request string `json:"request"`
	// Pod of the gateway that was asked.
	Pod string `json:"pod"`
	// Declared is whether the declarations allow it, and By which of them does.
	Declared bool   `json:"declared"`
	By       string `json:"declaredBy,omitempty"`
	// Goal is how far it is followed: "the backend", or "the peer's gateway" for a call
	// that leaves this mesh.
	Goal string `json:"goal"`
	// Reaches says that the gateway leads it there; if not, the last step is where it
	// ends.
	Reaches bool         `json:"reaches"`
	Steps   []envoy.Step `json:"steps"`
}

// Agrees says that the gateway does what is declared.
func (a Answer) Agrees() bool { return a.Declared == a.Reaches }

// Broken is the layer at which the request ends though it is declared; empty
// when there is none.
func (a Answer) Broken() envoy.Layer {
	if !a.Declared || a.Reaches || len(a.Steps) == 0 {
		return ""
	}
	return a.Steps[len(a.Steps)-1].Layer
}

// Ask follows a request through a pod of the ingress gateway.
func Ask(spec api.Spec, d verify.Dump, q Question) (Answer, error) {
	if spec.Mesh.Spec.Ingress == nil {
		return Answer{}, fmt.Errorf("explain: Mesh/%s has no ingress gateway, so no peer can call", spec.Mesh.Name)
	}
	if !strings.HasPrefix(q.Path, "/") {
		return Answer{}, fmt.Errorf("explain: the path %q does not begin with a slash", q.Path)
	}
	principal, host := "", spec.Mesh.Spec.Host
	if q.Peer != "" {
		p, known := spec.Peer(q.Peer)
		if !known {
			return Answer{}, fmt.Errorf("explain: the declarations have no Peer %s", q.Peer)
		}
		if principal = p.Spec.ClientIdentity; principal == "" {
			return Answer{}, fmt.Errorf("explain: Peer/%s has no clientIdentity, so it never calls", q.Peer)
		}
		host = spec.Mesh.Spec.Entrance(&p).Host
	}
	r := envoy.Request{Principal: principal, SNI: cmp.Or(q.SNI, host), Authority: cmp.Or(q.Host, host), Method: cmp.Or(q.Method, "GET"), Path: q.Path, Headers: q.Headers, At: q.At}
	out := Answer{Pod: d.Pod, Goal: "the backend", Request: fmt.Sprintf("%s %s%s by %s, SNI %s", r.Method, r.Authority, r.Path, caller(q, principal), r.SNI)}
	if by, ok := verify.Allows(spec, r); ok {
		out.Declared, out.By = true, by.String()
	}
	out.Steps = d.Config.Follow(d.Port, r)
	out.Reaches = len(out.Steps) > 0 && out.Steps[len(out.Steps)-1].Passed
	return out, nil
}

func caller(q Question, principal string) string {
	if q.Peer == "" {
		return "nobody (no certificate)"
	}
	return fmt.Sprintf("peer %s (%s)", q.Peer, principal)
}
