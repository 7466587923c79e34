package steps

import (
	"fmt"
	"strings"
)

// Kind is the closed set of what becomes of a request.
type Kind string

// The kinds.
const (
	// Answered: a Bookinfo workload answered with success.
	Answered Kind = "answered"
	// Denied: a gateway's policy refused it.
	Denied Kind = "denied by policy"
	// NoRoute: a gateway knows no such host or path.
	NoRoute Kind = "no route"
	// Alert: TLS was ended by an alert of the other side.
	Alert Kind = "TLS alert"
	// Cut: the connection was refused, reset or closed without an answer.
	Cut Kind = "connection cut"
	// TimedOut: nothing came in time.
	TimedOut Kind = "time-out"
	// Unreachable: no route or no name leads there.
	Unreachable Kind = "unreachable"
	// Unavailable: a proxy on the way found nobody behind it.
	Unavailable Kind = "unavailable"
	// Unexpected: something else answered or failed.
	Unexpected Kind = "unexpected"
)

// Answer is what became of a request.
type Answer struct {
	Kind Kind
	// Service, Version and Cluster are those of the workload that answered;
	// empty if none did.
	Service, Version, Cluster string
	// Status is the HTTP status, 0 if there was no HTTP.
	Status int
	Body   string
	// Detail says in words what happened: the alert, the error, the proxy's
	// own message.
	Detail string
}

// By says whether the answer is from that workload. An empty version means any.
func (a Answer) By(service, version, cluster string) bool {
	return a.Kind == Answered && a.Service == service && a.Cluster == cluster &&
		(version == "" || a.Version == version)
}

func (a Answer) String() string {
	words := []string{string(a.Kind)}
	if a.Service != "" {
		words = append(words, fmt.Sprintf("by %s %s of %s", a.Service, a.Version, a.Cluster))
	}
	if a.Status != 0 {
		words = append(words, fmt.Sprintf("(HTTP %d)", a.Status))
	}
	if a.Detail != "" {
		words = append(words, a.Detail)
	}
	return strings.Join(words, " ")
}

// refusal is a way to be refused, in the words of the features.
type refusal struct {
	kinds []Kind
	// detail must be in the answer's, if it is not empty.
	detail string
}

// parseRefusal reads a refusal in the words of the features.
func parseRefusal(words string) (refusal, error) {
	if alert, is := strings.CutPrefix(words, "TLS alert "); is {
		return refusal{kinds: []Kind{Alert}, detail: alert}, nil
	}
	known := map[string][]Kind{
		"denied by policy": {Denied},
		"no route":         {NoRoute},
		// Whoever cuts the connection, and at which byte, is up to the proxy
		// and the path to it; that there was neither TLS nor HTTP is not.
		"no handshake":  {Cut, Alert},
		"no connection": {Cut},
	}
	kinds, is := known[words]
	if !is {
		return refusal{}, fmt.Errorf(`a refusal %q: want "denied by policy", "no route", "TLS alert …", "no handshake" or "no connection"`, words)
	}
	return refusal{kinds: kinds}, nil
}

func (r refusal) fits(a Answer) bool {
	for _, k := range r.kinds {
		if a.Kind == k && strings.Contains(strings.ToLower(a.Detail), strings.ToLower(r.detail)) {
			return true
		}
	}
	return false
}
