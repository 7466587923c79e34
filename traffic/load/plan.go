package load

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds of one run, so that a slip of the pen is not an attack.
const (
	maxRate    = 20_000
	maxCount   = 1_000_000
	maxTargets = 100
	maxShare   = 100
)

// The values that stand for zero in a Plan.
const (
	DefaultTimeout  = 5 * time.Second
	DefaultLagLimit = 5 * time.Millisecond
)

// Plan is one run: so many requests, at a constant rate, over all targets by
// turns. What is measured side by side meets the same neighbours on the
// machine; what is measured one after the other does not.
type Plan struct {
	// Rate is in requests per second, Count how many are sent; both of all
	// targets together.
	Rate  int `json:"rate"`
	Count int `json:"count"`
	// Targets, each with a name of its own.
	Targets []Target `json:"targets"`
	// Timeout bounds one request; 0 means DefaultTimeout.
	Timeout time.Duration `json:"timeoutNs,omitempty"`
	// LagLimit is how late the generator may be at p99; 0 means
	// DefaultLagLimit.
	LagLimit time.Duration `json:"lagLimitNs,omitempty"`
	// Workers caps the requests under way to each target; 0 means no cap, which
	// alone is an open model.
	Workers int `json:"workers,omitempty"`
	// Watch, unless it is nil, is told once a second how far the run is.
	Watch func(Progress) `json:"-"`
}

// Progress is how far a run is.
type Progress struct {
	// Ended is how many requests were answered or have failed, of Count.
	Ended int64 `json:"ended"`
	Count int64 `json:"count"`
	// P50 and P99 are of all of them, however they ended.
	P50 time.Duration `json:"p50Ns"`
	P99 time.Duration `json:"p99Ns"`
	// LagP99 is how late the generator itself has been.
	LagP99 time.Duration `json:"lagP99Ns"`
}

func (p Progress) String() string {
	return fmt.Sprintf("%d of %d requests, p50 %.2f ms, p99 %.2f ms, generator's own lag p99 %.3f ms",
		p.Ended, p.Count, millis(p.P50), millis(p.P99), millis(p.LagP99))
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Target is what one kind of requests asks for.
type Target struct {
	Name string `json:"name"`
	// Method is GET if empty.
	Method string `json:"method,omitempty"`
	URL    string `json:"url"`
	// Host is the authority, if it differs from the URL's.
	Host string `json:"host,omitempty"`
	// Nonce is sent in wire.HeaderNonce if it is not empty, so that arrivals can
	// be counted.
	Nonce string `json:"nonce,omitempty"`
	// Share is how many of its requests go out for one of a target whose share
	// is 1; 0 means 1.
	Share int `json:"share,omitempty"`
	// FreshConnection makes a connection for each request.
	FreshConnection bool `json:"freshConnection,omitempty"`
	// HTTP2 speaks HTTP/2, without TLS by prior knowledge; else it is HTTP/1.1.
	HTTP2 bool `json:"http2,omitempty"`
}

// agent begins the user agent of every request.
const agent = "meshfed-load/"

// UserAgent is that of a target's request, from which every access log can tell
// whose it was: gateways give a request an id of their own, and leave this.
func UserAgent(nonce string, seq int64) string { return fmt.Sprintf("%s%s.%d", agent, nonce, seq) }

// SentWith says whether that is the user agent of a request with that nonce.
func SentWith(userAgent, nonce string) bool {
	seq, is := strings.CutPrefix(userAgent, agent+nonce+".")
	_, err := strconv.ParseUint(seq, 10, 63)
	return is && err == nil
}

// Duration is how long the sending takes.
func (p Plan) Duration() time.Duration {
	return time.Duration(p.Count) * time.Second / time.Duration(p.Rate)
}

func (p Plan) complete() (Plan, error) {
	switch {
	case p.Rate < 1 || p.Rate > maxRate:
		return p, fmt.Errorf("load: rate %d: want 1 to %d a second", p.Rate, maxRate)
	case p.Count < 1 || p.Count > maxCount:
		return p, fmt.Errorf("load: count %d: want 1 to %d", p.Count, maxCount)
	case len(p.Targets) == 0 || len(p.Targets) > maxTargets:
		return p, fmt.Errorf("load: %d targets: want 1 to %d", len(p.Targets), maxTargets)
	case p.Timeout < 0 || p.LagLimit < 0 || p.Workers < 0:
		return p, errors.New("load: a time-out, lag limit or number of workers is negative")
	}
	seen := map[string]bool{}
	for _, t := range p.Targets {
		if t.Name == "" || seen[t.Name] {
			return p, fmt.Errorf("load: target name %q: want one, and another for each target", t.Name)
		}
		if t.Share < 0 || t.Share > maxShare {
			return p, fmt.Errorf("load: target %s: share %d: want 0 to %d", t.Name, t.Share, maxShare)
		}
		seen[t.Name] = true
	}
	if p.Timeout == 0 {
		p.Timeout = DefaultTimeout
	}
	if p.LagLimit == 0 {
		p.LagLimit = DefaultLagLimit
	}
	return p, nil
}

// turns is the order of the targets: as even as the shares allow, since ten
// requests of one kind in a row would find the gateway in another state than
// those that are spread.
func (p Plan) turns() []int {
	total := 0
	for _, t := range p.Targets {
		total += max(t.Share, 1)
	}
	credit := make([]int, len(p.Targets))
	turns := make([]int, total)
	for k := range turns {
		next := 0
		for i, t := range p.Targets {
			credit[i] += max(t.Share, 1)
			if credit[i] > credit[next] {
				next = i
			}
		}
		credit[next] -= total
		turns[k] = next
	}
	return turns
}
