// Package wire is what the harness and a workload say to each other over exec:
// the requests a workload shall send, what came of them, and which requests
// arrived at it. Both the fixtures' program and the harness import it, so it
// knows neither of them, nor Kubernetes, nor federation; it uses the standard
// library alone, since it is linked into the fixture image.
package wire

import (
	"net/http"
	"time"
)

// Names of the headers by which a fixture's answers can be told apart.
const (
	// HeaderNonce marks a request. It is carried to every service that the
	// request causes to be called, and echoed on the answer.
	HeaderNonce = "X-Meshfed-Nonce"
	// HeaderCluster, HeaderPod, HeaderService and HeaderVersion are set on
	// every answer of a fixture by the fixture itself.
	HeaderCluster = "X-Meshfed-Cluster"
	HeaderPod     = "X-Meshfed-Pod"
	HeaderService = "X-Meshfed-Service"
	HeaderVersion = "X-Meshfed-Version"
)

// MaxBody is how much of an answer's body is kept, in bytes.
const MaxBody = 64 << 10

// Batch is what a workload reads on the standard input of its probe.
type Batch struct {
	Requests []Request `json:"requests"`
}

// Request is one request to send, or several alike.
type Request struct {
	// ID is repeated in the results; the caller's own word.
	ID string `json:"id"`
	// Method is GET if empty.
	Method string `json:"method,omitempty"`
	// URL is http://host:port/path. Its path and query are sent as they
	// stand: nothing is escaped, cleaned or resolved.
	URL string `json:"url"`
	// Host is the authority to send, if it differs from the URL's.
	Host string `json:"host,omitempty"`
	// Headers are added; several values make several header lines.
	Headers map[string][]string `json:"headers,omitempty"`
	Body    string              `json:"body,omitempty"`
	// Nonce is sent in HeaderNonce if it is not empty. All Count requests
	// carry the same one, so that arrivals can be compared with Count.
	Nonce string `json:"nonce,omitempty"`
	// TimeoutMs bounds one attempt, in milliseconds; 0 means 5,000.
	TimeoutMs int `json:"timeoutMs,omitempty"`
	// Count is how often to send it; 0 means once.
	Count int `json:"count,omitempty"`
	// Concurrency is how many are in flight at once; 0 means one.
	Concurrency int `json:"concurrency,omitempty"`
	// FreshConnection closes the connection after every attempt, so that
	// each is balanced and authenticated anew.
	FreshConnection bool `json:"freshConnection,omitempty"`
}

// Report is what a probe writes on its standard output.
type Report struct {
	// Results are in the order of the requests and, within one, of Seq.
	Results []Result `json:"results"`
}

// Result is what came of one attempt. Either Status or Fault is set.
type Result struct {
	ID    string `json:"id"`
	Seq   int    `json:"seq"`
	Nonce string `json:"nonce,omitempty"`
	// Status is the HTTP status, 0 if no answer came.
	Status  int         `json:"status,omitempty"`
	Headers http.Header `json:"headers,omitempty"`
	// Body holds the first MaxBody bytes.
	Body  string `json:"body,omitempty"`
	Fault Fault  `json:"fault,omitempty"`
	// Detail is the error in words if Fault is set.
	Detail  string        `json:"detail,omitempty"`
	Latency time.Duration `json:"latencyNs"`
}

// Arrival is a request as a workload saw it.
type Arrival struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	// Path is the request target as it stood on the wire.
	Path  string `json:"path"`
	Host  string `json:"host"`
	Nonce string `json:"nonce,omitempty"`
	// XFCC is x-forwarded-client-cert: who the sidecar says is calling.
	XFCC string `json:"xfcc,omitempty"`
	// Headers are those by which a proxy or a forger would speak:
	// x-forwarded-*, x-envoy-*, x-istio-*, end-user, baggage.
	Headers http.Header `json:"headers,omitempty"`
	// Names are those of all headers, sorted, whatever their values.
	Names []string `json:"names,omitempty"`
	Peer  string   `json:"peer"`
}

// Query is a question to a workload: which requests have arrived at it.
type Query struct {
	// Nonce is that of the requests meant; all if it is empty.
	Nonce string `json:"nonce"`
	// Since is when the first of them can have arrived, by the clock of the
	// cluster. If it is zero, a pod that was replaced since goes unnoticed.
	Since time.Time `json:"since,omitzero"`
}

// Arrivals is what a workload answers when asked what reached it.
type Arrivals struct {
	Service string `json:"service"`
	Version string `json:"version"`
	Cluster string `json:"cluster"`
	Pod     string `json:"pod"`
	// Started is when the process began to record.
	Started time.Time `json:"started"`
	// Total counts every request since then, kept or not.
	Total uint64 `json:"total"`
	// Complete says that nothing asked for can have been forgotten. If it
	// is false, an absent nonce means "unknown" and never "none".
	Complete bool `json:"complete"`
	// Gap says why Complete is false.
	Gap      string    `json:"gap,omitempty"`
	Arrivals []Arrival `json:"arrivals"`
}
