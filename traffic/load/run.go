package load

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/meshfed/meshfed/traffic"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Bounds of one run, so that a slip of the pen is not an attack.
const (
	maxRate  = 20_000
	maxCount = 1_000_000
	// tallest is the greatest latency that a histogram tells apart.
	tallest = 5 * time.Minute
)

// Plan is one identity's load.
type Plan struct {
	// Rate is in requests per second, Count how many are sent.
	Rate, Count int
	URL         string
	Host        string
	// Transport holds the identity and decides the protocol and whether
	// connections are kept.
	Transport http.RoundTripper
	// Timeout bounds one request; 0 means 5 s.
	Timeout time.Duration
	// Workers caps the requests under way; 0 means no cap.
	Workers uint64
	// LagLimit is how late the generator may be at p99; 0 means 5 ms.
	LagLimit time.Duration
	Want     traffic.Backend
}

// Result is what was measured, also of a run that was stopped.
type Result struct {
	// Latency is in microseconds from the moment meant, by outcome.
	Latency map[traffic.Kind]*hdrhistogram.Histogram
	// Lag is in microseconds between the moments meant and taken.
	Lag      *hdrhistogram.Histogram
	LagLimit time.Duration
}

// Invalid says that the generator was itself too late to judge anybody.
func (r Result) Invalid() bool {
	return r.Lag.TotalCount() == 0 || time.Duration(r.Lag.ValueAtQuantile(99))*time.Microsecond > r.LagLimit
}

// Run sends the plan's requests. If ctx ends it stops, and returns what was
// measured so far with the cause.
func Run(ctx context.Context, p Plan) (Result, error) {
	if p.Rate < 1 || p.Rate > maxRate || p.Count < 1 || p.Count > maxCount || p.Transport == nil {
		return Result{}, fmt.Errorf("load on %s: rate %d (1 to %d), count %d (1 to %d) and a transport are needed", p.URL, p.Rate, maxRate, p.Count, maxCount)
	}
	if p.LagLimit == 0 {
		p.LagLimit = 5 * time.Millisecond
	}
	if p.Timeout == 0 {
		p.Timeout = 5 * time.Second
	}
	seen := &observer{next: p.Transport}
	pace := &schedule{period: time.Second / time.Duration(p.Rate), count: uint64(p.Count)}
	attacker := newAttacker(p, seen)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: p.URL, Header: http.Header{"Host": {p.Host}}})
	result := Result{Latency: map[traffic.Kind]*hdrhistogram.Histogram{}, Lag: histogram(), LagLimit: p.LagLimit}
	for r := range attacker.Attack(target, pace, 0, "") {
		meant := pace.meant(r.Seq)
		kind := seen.kind(r, strconv.FormatUint(r.Seq, 10), p.Want)
		if result.Latency[kind] == nil {
			result.Latency[kind] = histogram()
		}
		record(result.Latency[kind], r.End().Sub(meant))
		record(result.Lag, r.Timestamp.Sub(meant))
	}
	return result, context.Cause(ctx)
}

func newAttacker(p Plan, transport http.RoundTripper) *vegeta.Attacker {
	options := []func(*vegeta.Attacker){vegeta.Client(&http.Client{Transport: transport, Timeout: p.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }})}
	if p.Workers > 0 {
		options = append(options, vegeta.Workers(p.Workers), vegeta.MaxWorkers(p.Workers))
	}
	return vegeta.NewAttacker(options...)
}

func histogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, tallest.Microseconds(), 3)
}

// record cannot fail: the value is within the histogram's bounds.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d, time.Microsecond), tallest).Microseconds())
}
