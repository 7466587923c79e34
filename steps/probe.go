package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// probes are lines that ask all the time.
type probes struct {
	all []*probe
	// asking ends the asking, and end also what is under way.
	asking, end context.CancelFunc
	over        *errgroup.Group
}

// probe is one line and what came of it.
type probe struct {
	kind    reports.Connection
	line    Line
	request Request
	// overdue is when the bound has passed: what is sent from then on bears the
	// nonce late, so that one question to every workload is about all of it.
	overdue atomic.Pointer[time.Time]
	late    string
	// lateAsked is how often it was asked since.
	lateAsked atomic.Int64
	// over is closed when the connection is: nothing can be served on it then.
	over    chan struct{}
	answers []timed
}

// warm is how often a line must have been served before the withdrawal: a
// connection that never worked proves nothing by not working.
const warm = 3

func (w *World) startProbes(ctx context.Context, r revocation) (*probes, error) {
	sending, end := context.WithCancel(ctx)
	asking, stop := context.WithCancel(sending)
	p := &probes{asking: stop, end: end, over: &errgroup.Group{}}
	caller := Caller{Credentials: Own, Mesh: "c1"}
	for _, kind := range r.kinds() {
		line, err := w.Meshes.Line(ctx, r.mesh, caller, kind)
		if err != nil {
			return nil, errors.Join(inconclusive(err), p.stop())
		}
		one := &probe{kind: kind, line: line, request: Request{Method: http.MethodGet, URL: r.path}, late: r.late, over: make(chan struct{})}
		if kind == reports.OpenStream {
			one.request.URL = strings.TrimSuffix(r.path, ratingsOfBook) + openStream
		}
		p.all = append(p.all, one)
		for range warm {
			if err := one.ask(ctx); err != nil {
				return nil, errors.Join(inconclusive(err), p.stop())
			}
		}
		if kind == reports.ResumedConnection && !slices.ContainsFunc(one.answers, func(a timed) bool { return a.Resumed }) {
			one.kind = reports.NoResumption
		}
		if kind != reports.IdleHTTP1 {
			p.over.Go(func() error { return one.askAllTheTime(asking, sending) })
		}
	}
	return p, nil
}

// due says that the withdrawal has been accepted.
func (p *probes) due(moment time.Time, r revocation) {
	for _, one := range p.all {
		overdue := moment.Add(r.bound(one.kind))
		one.overdue.Store(&overdue)
	}
}

func (p *probe) ask(ctx context.Context) error {
	sent := time.Now()
	p.request.Nonce = newNonce()
	if overdue := p.overdue.Load(); overdue != nil && sent.After(*overdue) {
		p.request.Nonce = p.late
		defer p.lateAsked.Add(1)
	}
	answer, err := p.line.Ask(ctx, p.request)
	switch {
	case err != nil && ctx.Err() != nil:
		// It has outlasted lastWord: nobody knows what was still to come.
		answer = traffic.Outcome{Kind: traffic.TimedOut}
	case err != nil:
		return err
	}
	p.answers = append(p.answers, timed{sent: sent, done: time.Now(), Outcome: answer})
	return nil
}

// askAllTheTime goes on for as long as asking does; sending is the context of what
// is asked.
func (p *probe) askAllTheTime(asking, sending context.Context) error {
	defer close(p.over)
	for asking.Err() == nil && p.line.Live() {
		if err := p.ask(sending); err != nil {
			return err
		}
		restFor(asking, probePause)
	}
	return nil
}

// restUntilOver waits for the bound to pass. If it may be early, it is when all
// connections that were open before are closed: what is watched beyond that is new
// ones alone. One that sleeps is asked when the bound has passed, never early.
func (p *probes) restUntilOver(ctx context.Context, bound time.Duration, early bool) {
	limit, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	early = early && !slices.ContainsFunc(p.all, func(one *probe) bool { return one.kind == reports.IdleHTTP1 })
	for _, one := range p.all {
		if early && !one.anew() {
			select {
			case <-one.over:
			case <-limit.Done():
			}
		}
	}
	if !early {
		<-limit.Done()
	}
}

// restUntilAsked waits until each new connection was tried often enough since the
// bound has passed: a machine that is busy takes longer for it.
func (p *probes) restUntilAsked(ctx context.Context) {
	limit, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for _, one := range p.all {
		for one.anew() && one.lateAsked.Load() < enough && limit.Err() == nil {
			restFor(limit, probePause)
		}
	}
}

// askIdle uses the connections that were idle until now.
func (p *probes) askIdle(ctx context.Context) {
	for _, one := range p.all {
		if one.kind == reports.IdleHTTP1 && one.line.Live() {
			p.over.Go(func() error { return one.ask(ctx) })
		}
	}
}

// stop ends the asking, and waits for what is under way: an answer that comes late
// is an answer, and who cuts it off does not hear it.
func (p *probes) stop() error {
	p.asking()
	heard := make(chan error, 1)
	go func() { heard <- p.over.Wait() }()
	patience := time.NewTimer(lastWord)
	defer patience.Stop()
	var err error
	select {
	case err = <-heard:
		p.end()
	case <-patience.C:
		p.end()
		err = <-heard
	}
	for _, one := range p.all {
		one.line.Close()
	}
	if err != nil {
		return inconclusive(err)
	}
	return nil
}

// anew says whether each request of the line has a connection of its own.
func (p *probe) anew() bool {
	return madeAnew(p.kind)
}

// lastServed is how long after the moment an answer was still given.
func (p *probe) lastServed(moment time.Time) (time.Duration, error) {
	served, last := 0, time.Duration(0)
	for _, a := range p.answers {
		switch {
		case turnedAway(a.Outcome):
		case !gotIn(a.Outcome):
			return 0, fmt.Errorf("no answer that tells anything: %s", a.Outcome)
		case a.done.After(moment):
			last = a.done.Sub(moment)
		default:
			served++
		}
	}
	if served < warm {
		return 0, fmt.Errorf("it was served %d times before the withdrawal, want %d: %s", served, warm, p.answers[len(p.answers)-1].Outcome)
	}
	return last, nil
}

// turnedAwayAs holds if the line was refused often enough after it was served for
// the last time, as this way to withdraw refuses: a gateway that has died refuses
// too. What comes while the change is on its way may be another refusal, but not
// when the bound has passed.
func (p *probe) turnedAwayAs(by refusals) error {
	after := p.answers
	for i, a := range p.answers {
		if gotIn(a.Outcome) {
			after = p.answers[i+1:]
		}
	}
	if len(after) < enough {
		return inconclusive(fmt.Errorf("it was asked %d times after its last answer, want %d", len(after), enough))
	}
	proofs := 0
	for _, a := range after {
		if by.proof.fits(a.Outcome) {
			proofs++
		}
		if overdue := p.overdue.Load(); overdue != nil && a.sent.After(*overdue) && !by.lasting.fits(a.Outcome) {
			return fmt.Errorf("want %s when the bound has passed; got: %s", by.words, a.Outcome)
		}
	}
	if proofs < enough {
		return fmt.Errorf("want %d of %s after the last answer, there were %d among %d; the last one: %s", enough, by.words, proofs, len(after), after[len(after)-1].Outcome)
	}
	return nil
}
