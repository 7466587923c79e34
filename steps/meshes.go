package steps

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
	"github.com/meshfed/meshfed/traffic/rawh2"
	"github.com/meshfed/meshfed/traffic/rawhttp"
)

// Meshes is how steps send requests and see them arrive. An error of any of
// its methods is one of the harness or the environment: what becomes of a
// request is never an error but a traffic.Outcome.
type Meshes interface {
	// GatewayAddress is where the other meshes reach the private ingress
	// gateway of a mesh.
	GatewayAddress(ctx context.Context, mesh string) (host, port string, err error)
	// Edge sends a request to the private ingress gateway of a mesh, from
	// outside all meshes, as somebody.
	Edge(ctx context.Context, mesh string, as Caller, r Request) (traffic.Outcome, error)
	// Abuse sends a request to the private ingress gateway of a mesh in frames
	// that no client of HTTP/2 should send. rawh2.SecondHost asks for the
	// gateway's own host first.
	Abuse(ctx context.Context, mesh string, as Caller, r Request, a rawh2.Abuse) (traffic.Outcome, error)
	// Knocks sends many requests to the private ingress gateway of a mesh at
	// once. The outcomes are in the order of the knocks.
	Knocks(ctx context.Context, mesh string, all []Knock) ([]traffic.Outcome, error)
	// Line is a client at the private ingress gateway of a mesh that keeps to
	// one kind of connection.
	Line(ctx context.Context, mesh string, as Caller, kind reports.Connection) (Line, error)
	// FromWorkload sends many requests from the workload sleep of a mesh at
	// once. The outcomes are in the order of the requests.
	FromWorkload(ctx context.Context, mesh string, all []Request) ([]traffic.Outcome, error)
	// Inside sends a request some times from a workload of a mesh.
	Inside(ctx context.Context, mesh string, r Request, times int) ([]traffic.Outcome, error)
	// Load runs a plan from the workload sleep of a mesh.
	Load(ctx context.Context, mesh string, plan load.Plan) (load.Result, error)
	// EdgeLoad runs a plan at the private ingress gateway of a mesh, each target
	// as the caller of its name.
	EdgeLoad(ctx context.Context, mesh string, plan load.Plan, as map[string]Caller) (load.Result, error)
	// Hops are the own shares of the requests of a load's target, by the access
	// logs of the proxies of a mesh since then.
	Hops(ctx context.Context, mesh, nonce string, since time.Time) ([]Hop, error)
	// Tries are how often the private ingress gateway of a mesh was asked something
	// with that nonce, by its access log. What was asked after that has another
	// one: once the log has it, nothing of the former is still to come.
	Tries(ctx context.Context, mesh, nonce, after string) (int, error)
	// IngressCPU is how much processor time the private ingress gateway of a
	// mesh has used so far.
	IngressCPU(ctx context.Context, mesh string) (time.Duration, error)
	// IngressTimers is by which clock the private ingress gateway of a mesh
	// wakes up.
	IngressTimers(ctx context.Context, mesh string) (Timers, error)
	// Serial is that of the certificate which a caller brings.
	Serial(as Caller) (*big.Int, error)
	// Certificates are the serial numbers of those that a private gateway of a
	// mesh holds for itself.
	Certificates(ctx context.Context, mesh string, of Gateway) ([]*big.Int, error)
	// Memory is what a private gateway of a mesh has allocated, in bytes.
	Memory(ctx context.Context, mesh string, of Gateway) (int64, error)
	// Gather opens many connections to the private ingress gateway of a mesh.
	Gather(ctx context.Context, mesh string, as Caller, n int, habit traffic.Habit) (Crowd, error)
	// Arrivals are the requests with that nonce which Bookinfo's workloads
	// in a mesh have seen. It is an error if that cannot be known.
	Arrivals(ctx context.Context, mesh, nonce string) ([]Arrival, error)
	// Why sends a request from a workload of a mesh and names the layer that breaks
	// it, by what the proxies on its way say.
	Why(ctx context.Context, mesh string, r Request) (Diagnosis, error)
	// Locate is the URL of something in a mesh that nobody outside it should
	// be able to reach.
	Locate(ctx context.Context, mesh string, t Target) (url string, err error)
}

// Request is what to send.
type Request struct {
	Method string
	// URL is a path at an edge, and the whole URL inside a mesh. It is sent
	// as it stands: nothing is escaped, cleaned or resolved.
	URL string
	// From is the workload inside a mesh that sends it; empty is sleep.
	From string
	// User is who is signed in: a session at the product page, the header
	// end-user elsewhere. Empty is nobody.
	User string
	// Nonce marks the request, and those it causes.
	Nonce string
	// Host is sent by a workload instead of the URL's; at an edge the caller
	// has it.
	Host string
	// Header holds further lines in order, as they stand.
	Header []rawhttp.Field
	// Tail follows the request at an edge, as it stands.
	Tail []byte
}

// Line is a client that asks on connections of one kind. It is for one user.
type Line interface {
	// Ask sends one request.
	Ask(ctx context.Context, r Request) (traffic.Outcome, error)
	// Live is false when a connection that is not to be replaced is gone.
	Live() bool
	Close()
}

// Knock is a request at a gateway and who makes it.
type Knock struct {
	As Caller
	Request
}

func (r Request) String() string {
	if r.User == "" {
		return r.Method + " " + r.URL
	}
	return r.Method + " " + r.URL + " by " + r.User
}

// Hop is one proxy on the way of requests.
type Hop struct {
	// Proxy is which: "ingress gateway of c2".
	Proxy string
	// Rank orders the proxies by the way of a request.
	Rank int
	// Own is how long the proxy itself took for each request in its log.
	Own []time.Duration
	// Resolution is that of the log.
	Resolution time.Duration
}

// Arrival is a request as a workload saw it.
type Arrival struct {
	// Service, Version and Cluster are the workload's.
	Service, Version, Cluster string
	Method, Path, Host        string
	// Header holds those by which a proxy or a forger would speak.
	Header http.Header
	// Names are those of all headers.
	Names []string
	// XFCC is who the workload's sidecar says is calling.
	XFCC string
}

func (a Arrival) String() string {
	return fmt.Sprintf("%s %s of %s saw %s %s for %s", a.Service, a.Version, a.Cluster, a.Method, a.Path, a.Host)
}

// Target is the closed set of what is tried to be reached from elsewhere.
type Target string

// The targets, in the words of the features.
const (
	ReviewsPod     Target = "a reviews pod"
	ReviewsService Target = "the reviews service"
	Node           Target = "the node"
	APIServer      Target = "the API server"
)

// inconclusive marks an error of the harness.
func inconclusive(err error) error {
	return fmt.Errorf("%w: %w", reports.ErrInconclusive, err)
}
