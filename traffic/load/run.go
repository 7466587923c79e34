package load

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/meshfed/meshfed/traffic/wire"
)

// Run sends the plan's requests, each target's by the transport that transport
// makes for it. It returns when the last has been answered or has timed out. If
// ctx ends it sends no more, and returns what was measured so far with the cause.
func Run(ctx context.Context, p Plan, transport func(Target) http.RoundTripper) (Result, error) {
	return run(ctx, p, transport, precisely)
}

func run(ctx context.Context, p Plan, transport func(Target) http.RoundTripper, sleep sleeper) (Result, error) {
	p, err := p.complete()
	if err != nil {
		return Result{}, err
	}
	seen := &observer{}
	for _, t := range p.Targets {
		seen.transports = append(seen.transports, transport(t))
	}
	defer seen.close()
	pace := &schedule{period: p.period(), count: uint64(p.Count), stop: ctx.Done(), sleep: sleep}
	attacker := newAttacker(p, seen)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	sums := newTally(p)
	told := time.Now()
	for r := range attacker.Attack(targeter(p), pace, 0, "") {
		meant := pace.meant(r.Seq)
		target, alert, ending := seen.take(r)
		ending.Latency = r.End().Sub(meant)
		sums.add(target, alert, ending)
		record(sums.lag, r.Timestamp.Sub(meant))
		if p.Watch != nil && time.Since(told) >= time.Second {
			told = time.Now()
			p.Watch(sums.progress())
		}
	}
	return sums.result(), context.Cause(ctx)
}

// targeter hands out the targets by turns.
func targeter(p Plan) vegeta.Targeter {
	turns := p.turns()
	var next atomic.Int64
	return func(out *vegeta.Target) error {
		seq := next.Add(1) - 1
		i := turns[int(seq%int64(len(turns)))]
		t := p.Targets[i]
		out.Method, out.URL = t.Method, t.URL
		if out.Method == "" {
			out.Method = http.MethodGet
		}
		out.Header = http.Header{targetHeader: {strconv.Itoa(i)}}
		if t.Nonce != "" {
			out.Header.Set(wire.HeaderNonce, t.Nonce)
			out.Header.Set("User-Agent", UserAgent(t.Nonce, seq))
		}
		if t.Host != "" {
			out.Header.Set("Host", t.Host)
		}
		return nil
	}
}

func newAttacker(p Plan, transport http.RoundTripper) *vegeta.Attacker {
	options := []func(*vegeta.Attacker){vegeta.Client(&http.Client{Transport: transport, Timeout: p.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }})}
	if p.Workers > 0 {
		options = append(options, vegeta.Workers(uint64(p.Workers)), vegeta.MaxWorkers(uint64(p.Workers)))
	}
	return vegeta.NewAttacker(options...)
}

// close ends the connections that a transport of net/http keeps.
func (o *observer) close() {
	for _, t := range o.transports {
		if c, can := t.(interface{ CloseIdleConnections() }); can {
			c.CloseIdleConnections()
		}
	}
}
