package load

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/meshfed/meshfed/traffic/wire"
)

// Run sends the plan's requests, each target's by an attacker of its own and by
// the transport that transport makes for it. It returns when the last has been
// answered or has timed out. If ctx ends it sends no more, and returns what was
// measured so far with the cause.
func Run(ctx context.Context, p Plan, transport func(Target) http.RoundTripper) (Result, error) {
	return run(ctx, p, transport, precisely)
}

func run(ctx context.Context, p Plan, transport func(Target) http.RoundTripper, sleep sleeper) (Result, error) {
	p, err := p.complete()
	if err != nil {
		return Result{}, err
	}
	sums := newTally(p)
	when := newSchedule(p)
	due := make([]chan struct{}, len(p.Targets))
	var all sync.WaitGroup
	for i, t := range p.Targets {
		due[i] = make(chan struct{}, p.Count)
		a := attack{target: i, plan: p, when: when, seen: &observer{transport: transport(t)}}
		all.Go(func() { a.carryOut(ctx, due[i], sums) })
	}
	when.keep(ctx, p.Count, due, sleep)
	all.Wait()
	return sums.result(), context.Cause(ctx)
}

// attack is what one attacker does: the requests to one target.
type attack struct {
	target int
	plan   Plan
	when   *schedule
	seen   *observer
}

func (a attack) carryOut(ctx context.Context, due <-chan struct{}, sums *tally) {
	defer a.seen.close()
	attacker := a.attacker()
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	own := pacer{due: due, stop: ctx.Done(), rate: float64(a.plan.Rate) * float64(len(a.when.places[a.target])) / float64(len(a.when.turns))}
	for r := range attacker.Attack(a.next(), own, 0, "") {
		meant := a.when.meant(a.target, r.Seq)
		alert, ending := a.seen.take(r)
		ending.Latency = r.End().Sub(meant)
		sums.add(a.target, alert, ending, r.Timestamp.Sub(meant))
	}
}

// next makes the target's requests.
func (a attack) next() vegeta.Targeter {
	t := a.plan.Targets[a.target]
	var numbers atomic.Int64
	return func(out *vegeta.Target) error {
		out.Method, out.URL, out.Header = t.Method, t.URL, http.Header{}
		if out.Method == "" {
			out.Method = http.MethodGet
		}
		if t.Nonce != "" {
			out.Header.Set(wire.HeaderNonce, t.Nonce)
			out.Header.Set("User-Agent", UserAgent(t.Nonce, numbers.Add(1)-1))
		}
		if t.Host != "" {
			out.Header.Set("Host", t.Host)
		}
		return nil
	}
}

func (a attack) attacker() *vegeta.Attacker {
	options := []func(*vegeta.Attacker){vegeta.Client(&http.Client{Transport: a.seen, Timeout: a.plan.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }})}
	if n := uint64(a.plan.Workers); n > 0 {
		options = append(options, vegeta.Workers(n), vegeta.MaxWorkers(n))
	}
	return vegeta.NewAttacker(options...)
}
