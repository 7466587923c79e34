package traffic

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/meshfed/meshfed/traffic/wire"
)

// Kind is what became of a request. The vocabulary is closed: Classify returns
// one of these, and what fits none is Unexpected, never the nearest one.
type Kind string

// The kinds.
const (
	// Allowed: a fixture answered with success, and it is the expected one.
	Allowed Kind = "allowed"
	// DeniedByPolicy: a proxy's access control refused it.
	DeniedByPolicy Kind = "denied by policy"
	// NoRoute: a proxy knows no such host or path, or will not serve that
	// host on this connection (421).
	NoRoute Kind = "no route"
	// Malformed: a proxy took the request itself for malformed (400, 431).
	Malformed Kind = "malformed"
	// HandshakeRefused: the other side ended TLS with an alert.
	HandshakeRefused Kind = "handshake refused"
	// Reset: the other side cut the connection, or closed it without a word.
	Reset Kind = "reset"
	// TimedOut: nothing came in time.
	TimedOut Kind = "timed out"
	// WrongBackend: somebody answered who was not expected, or the server's
	// certificate is not the one of who was.
	WrongBackend Kind = "wrong backend"
	// Unreachable: nothing listens there, or no route or name leads there.
	Unreachable Kind = "unreachable"
	// UpstreamFailed: a proxy on the way could not reach what is behind it.
	UpstreamFailed Kind = "upstream failed"
	// Unexpected: none of these; the Reason tells.
	Unexpected Kind = "unexpected"
)

// Backend is who answered, or, as an expectation, who should: an empty field
// then stands for any.
type Backend struct{ Service, Version, Cluster, Pod string }

// Fits says whether the backend is one that want describes.
func (b Backend) Fits(want Backend) bool {
	same := func(got, want string) bool { return want == "" || got == want }
	return same(b.Service, want.Service) && same(b.Version, want.Version) && same(b.Cluster, want.Cluster) && same(b.Pod, want.Pod)
}

func (b Backend) String() string {
	words := strings.Join(strings.Fields(b.Service+" "+b.Version), " ")
	if words == "" {
		words = "anybody"
	}
	if b.Cluster != "" {
		words += " of " + b.Cluster
	}
	if b.Pod != "" {
		words += " (" + b.Pod + ")"
	}
	return words
}

// Outcome is what became of one request. It holds no secrets: header values
// and bodies are those of answers.
type Outcome struct {
	Kind Kind
	// Status is the HTTP status, 0 if no answer came.
	Status int
	// Reason says why in the words of who decided: the proxy's body, the
	// alert's name, the error.
	Reason string
	// Alert is set for HandshakeRefused alone.
	Alert TLSAlert
	// Frame is the HTTP/2 frame that ended the stream or the connection, with
	// its error: "GOAWAY PROTOCOL_ERROR". Empty if an answer came.
	Frame string
	// Fault is the kind of transport error; FaultNone if an answer came.
	Fault wire.Fault
	// Backend is who answered; zero if it was a proxy or nobody.
	Backend Backend
	// Resumed says that the TLS session of the connection was an earlier one's.
	Resumed bool
	// Proxy is the answer's server header: which kind of proxy spoke last.
	Proxy   string
	Nonce   string
	Latency time.Duration
	Header  http.Header
	// Body holds the first wire.MaxBody bytes.
	Body string
}

func (o Outcome) String() string {
	text := string(o.Kind)
	if o.Backend != (Backend{}) {
		text += " by " + o.Backend.String()
	}
	if o.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", o.Status)
	}
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return text
}
