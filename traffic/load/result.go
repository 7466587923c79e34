package load

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/meshfed/meshfed/traffic/wire"
)

// Result is what was measured, also of a run that was stopped.
type Result struct {
	Samples []Sample `json:"samples"`
	// Lag is how late requests were sent.
	Lag      []Bucket      `json:"lag"`
	LagP99   time.Duration `json:"lagP99Ns"`
	LagLimit time.Duration `json:"lagLimitNs"`
}

// Sample is the requests to one target that ended alike.
type Sample struct {
	Target string `json:"target"`
	// Example is the first of them.
	Example wire.Result `json:"example"`
	// Alert is the code of the TLS alert, if that is how they ended.
	Alert uint8 `json:"alert,omitempty"`
	// Latency counts from the moment at which a request was meant to be sent.
	Latency []Bucket `json:"latency"`
}

// Bucket is how many values are about so great, in microseconds.
type Bucket struct {
	Micros int64 `json:"us"`
	Count  int64 `json:"n"`
}

// Invalid says that the generator was itself too late to judge anybody.
func (r Result) Invalid() bool { return len(r.Lag) == 0 || r.LagP99 > r.LagLimit }

// And is both results together. The zero value of one adds nothing.
func (r Result) And(other Result) Result {
	lag := histogram()
	for _, b := range slices.Concat(r.Lag, other.Lag) {
		// Within the bounds: they were recorded in such a histogram.
		_ = lag.RecordValues(b.Micros, b.Count)
	}
	return Result{
		Samples: slices.Concat(r.Samples, other.Samples), Lag: buckets(lag), LagLimit: max(r.LagLimit, other.LagLimit),
		LagP99: time.Duration(lag.ValueAtQuantile(99)) * time.Microsecond,
	}
}

// Of are the samples of one target.
func (r Result) Of(target string) []Sample {
	var its []Sample
	for _, s := range r.Samples {
		if s.Target == target {
			its = append(its, s)
		}
	}
	return its
}

// Count is how many requests the sample stands for.
func (s Sample) Count() int64 {
	var n int64
	for _, b := range s.Latency {
		n += b.Count
	}
	return n
}

// shape is by what two endings are told apart: as coarse as a classification
// allows, so that there are few.
type shape struct {
	target                    int
	status                    int
	fault                     wire.Fault
	alert                     uint8
	service, version, cluster string
}

func shapeOf(target int, alert uint8, r wire.Result) shape {
	return shape{
		target: target, status: r.Status, fault: r.Fault, alert: alert,
		service: r.Headers.Get(wire.HeaderService), version: r.Headers.Get(wire.HeaderVersion), cluster: r.Headers.Get(wire.HeaderCluster),
	}
}

// tally collects results in the order in which their shapes are first seen. It
// is safe for concurrent use until its result is taken.
type tally struct {
	mu      sync.Mutex
	plan    Plan
	told    time.Time
	lag     *hdrhistogram.Histogram
	order   []shape
	samples map[shape]*Sample
	latency map[shape]*hdrhistogram.Histogram
	// all is every latency, for the progress alone.
	all *hdrhistogram.Histogram
}

func newTally(p Plan) *tally {
	return &tally{plan: p, told: time.Now(), lag: histogram(), samples: map[shape]*Sample{}, latency: map[shape]*hdrhistogram.Histogram{}, all: histogram()}
}

// add takes one result, and how late its request was sent. Once a second it tells
// the plan's Watch how far the run is.
func (t *tally) add(target int, alert uint8, r wire.Result, lag time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := shapeOf(target, alert, r)
	if t.samples[key] == nil {
		t.order = append(t.order, key)
		t.samples[key] = &Sample{Target: t.plan.Targets[target].Name, Example: r, Alert: alert}
		t.latency[key] = histogram()
	}
	record(t.latency[key], r.Latency)
	record(t.all, r.Latency)
	record(t.lag, lag)
	if t.plan.Watch != nil && time.Since(t.told) >= time.Second {
		t.told = time.Now()
		t.plan.Watch(t.progress())
	}
}

func (t *tally) progress() Progress {
	at := func(h *hdrhistogram.Histogram, percent float64) time.Duration {
		return time.Duration(h.ValueAtQuantile(percent)) * time.Microsecond
	}
	return Progress{
		Ended: t.all.TotalCount(), Count: int64(t.plan.Count), P50: at(t.all, 50), P99: at(t.all, 99), LagP99: at(t.lag, 99),
	}
}

func (t *tally) result() Result {
	r := Result{Lag: buckets(t.lag), LagLimit: t.plan.LagLimit, LagP99: time.Duration(t.lag.ValueAtQuantile(99)) * time.Microsecond}
	for _, key := range t.order {
		s := *t.samples[key]
		s.Latency = buckets(t.latency[key])
		r.Samples = append(r.Samples, s)
	}
	return r
}

// tallest is the greatest latency that a histogram tells apart.
const tallest = 5 * time.Minute

func histogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, tallest.Microseconds(), 3)
}

// record cannot fail: the value is within the histogram's bounds.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d, time.Microsecond), tallest).Microseconds())
}

func buckets(h *hdrhistogram.Histogram) []Bucket {
	var all []Bucket
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			all = append(all, Bucket{Micros: bar.To, Count: bar.Count})
		}
	}
	return all
}

// Transport is one for plain targets, as inside a mesh, where the sidecar does
// the rest. It keeps as many connections as the load needs: net/http would keep
// two, and measure the making of the others.
func Transport(t Target) http.RoundTripper {
	transport := &http.Transport{DisableKeepAlives: t.FreshConnection, MaxIdleConnsPerHost: keptConnections, DisableCompression: true}
	if t.HTTP2 {
		transport.Protocols = &http.Protocols{}
		transport.Protocols.SetHTTP2(true)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	return transport
}

const keptConnections = 1024
