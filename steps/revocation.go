package steps

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps/internal/pairing"
	"github.com/meshfed/meshfed/traffic"
)

func (w *World) revocationSteps(sc *godog.ScenarioContext) {
	const ends = `c1's "GET ([^"]+)" at (c\d) ends within (\d+)ms on new connections and (\d+)ms on (live|busy|idle or streaming|streaming) ones`
	sc.Then(`^each of (\d+) times that the owner cancels, `+ends+`$`, func(ctx context.Context, times int, path, mesh string, fresh, live int, which string) error {
		return w.revoked(ctx, revocation{way: "the exposure is cancelled", times: times, path: path, mesh: mesh, fresh: fresh, live: live, which: which})
	})
	sc.Then(`^each of (\d+) times that the owner applies the following(?: (without the peer c1))?, `+ends+`:$`,
		func(ctx context.Context, times int, without, path, mesh string, fresh, live int, which string, then *godog.DocString) error {
			r := revocation{way: "the peer is taken off the list", times: times, path: path, mesh: mesh, fresh: fresh, live: live, which: which, then: &then.Content}
			if without != "" {
				r.way, r.stranger = "the peer is removed", "c1"
			}
			return w.revoked(ctx, r)
		})
	sc.Then(`^each of (\d+) times that the owner (revokes c1's certificate|trusts another root) (in the gateway's secret|in a secret of another name), `+ends+`$`,
		func(ctx context.Context, times int, how, where, path, mesh string, fresh, live int, which string) error {
			return w.revoked(ctx, revocation{way: "the owner " + how + " " + where, times: times, path: path, mesh: mesh, fresh: fresh, live: live, which: which,
				distrust: &distrust{root: how == "trusts another root", renamed: where == "in a secret of another name"}})
		})
}

// revocation is a way to withdraw and how long it may take, in milliseconds.
type revocation struct {
	way, path, mesh string
	times           int
	fresh, live     int
	// which of the connections that were open before.
	which string
	// before is what is declared until it is withdrawn.
	before string
	// then is what is applied; nil is a cancel.
	then *string
	// stranger is the mesh that is no peer any more.
	stranger string
	// distrust is another way than declarations; nil is none.
	distrust *distrust
}

// distrust is a withdrawal by certificates.
type distrust struct {
	// root: the root is replaced; otherwise the one certificate is revoked.
	root bool
	// renamed: the declarations name another secret, which makes a gateway look
	// at every connection anew.
	renamed bool
}

// Trust is whom a private ingress gateway trusts. The zero value is its own
// authority alone, in its own secret.
type Trust struct {
	// Secret that says so; empty is the gateway's own.
	Secret string
	// AnotherRoot has issued nobody's certificate.
	AnotherRoot bool
	// Revoked are the serial numbers on the authority's list; none means that
	// there is no list.
	Revoked []*big.Int
}

// kinds of connections, all of which are probed at once: live ones are the busy
// and the idle ones.
func (r revocation) kinds() []reports.Connection {
	return append([]reports.Connection{reports.NewConnection, reports.ResumedConnection}, map[string][]reports.Connection{
		"live":              {reports.LiveHTTP1, reports.LiveHTTP2, reports.IdleHTTP1},
		"busy":              {reports.LiveHTTP1, reports.LiveHTTP2},
		"idle or streaming": {reports.IdleHTTP1, reports.OpenStream},
		"streaming":         {reports.OpenStream},
	}[r.which]...)
}

func (r revocation) bound(kind reports.Connection) time.Duration {
	if kind == reports.NewConnection || kind == reports.ResumedConnection {
		return time.Duration(r.fresh) * time.Millisecond
	}
	return time.Duration(r.live) * time.Millisecond
}

const (
	// probePause is how often a line asks: the resolution of the figures.
	probePause = 5 * time.Millisecond
	// watched is how long after the last bound nothing may be served any more.
	watched = 500 * time.Millisecond
	// watchedLast is the same in the last trial of a cancel: ten seconds in all.
	watchedLast = 8 * time.Second
)

// watchedLong: a cancel and what certificates withdraw. On an answer that has
// broken off nothing more can come, and new connections are watched for as long
// beside the live ones of the same cancel.
func (r revocation) watchedLong() bool { return r.then == nil && r.which != "streaming" }

// revoked withdraws several times what was applied before, and measures from
// the API server's word to the last request that was served nevertheless.
func (w *World) revoked(ctx context.Context, r revocation) error {
	r.before = w.declared[r.mesh]
	samples := map[reports.Connection][]float64{}
	var errs []error
	for trial := range r.times {
		rest := watched
		if trial == r.times-1 && r.watchedLong() {
			rest = watchedLast
		}
		if err := w.trial(ctx, r, trial, rest, samples); err != nil {
			errs = append(errs, fmt.Errorf("trial %d: %w", trial+1, err))
			break
		}
	}
	for _, kind := range r.kinds() {
		if len(samples[kind]) == 0 {
			continue
		}
		figure := reports.Revocation(r.way, kind, float64(r.bound(kind).Milliseconds()), samples[kind])
		figure.ProbeIntervalMillis = float64(probePause.Milliseconds())
		if err := w.Attach(figure); err != nil {
			errs = append(errs, err)
			continue
		}
		w.record = append(w.record, fmt.Sprintf("%s, %s: %d trials, p50 %.0f ms, p99 %.0f ms, most %.0f ms", r.way, kind, figure.N, figure.P50Millis, figure.P99Millis, figure.MaxMillis))
		errs = append(errs, figure.Holds())
	}
	return reports.Weighed(errs...)
}

const (
	// ratingsOfBook is what paths of ratings end in, and openStream an answer
	// of theirs that lasts longer than any trial.
	ratingsOfBook = "ratings/0"
	openStream    = "stream/100"
)

// trial is one withdrawal.
func (w *World) trial(ctx context.Context, r revocation, trial int, rest time.Duration, samples map[reports.Connection][]float64) error {
	c, err := w.Lab.Cluster(r.mesh)
	if err != nil {
		return err
	}
	if err := w.restore(ctx); err != nil {
		return inconclusive(err)
	}
	before := r.before
	w.declared[r.mesh] = before
	if err := supported(w.Engine.Apply(ctx, c, before)); err != nil {
		return err
	}
	q, err := w.atEdge(r.mesh, http.MethodGet, r.path, "c1's certificate")
	if err != nil {
		return err
	}
	if _, err := w.until(ctx, q, settling, "an answer", by(traffic.Backend{})); err != nil {
		return err
	}
	probes, err := w.startProbes(ctx, r)
	if err != nil {
		return err
	}
	withdrawn := w.withdraw(ctx, r, before)
	acknowledged := time.Now()
	if withdrawn == nil {
		probes.restUntilOver(ctx, r.bound(reports.LiveHTTP1), trial < r.times-1)
		probes.askIdle(ctx)
		restFor(ctx, rest)
	}
	if err := reports.Weighed(withdrawn, probes.stop()); err != nil {
		return err
	}
	var errs []error
	for _, p := range probes.all {
		last, err := p.lastServed(acknowledged)
		if err != nil {
			errs = append(errs, inconclusive(fmt.Errorf("%s connection: %w", p.kind, err)))
			continue
		}
		samples[p.kind] = append(samples[p.kind], float64(last)/float64(time.Millisecond))
	}
	return errors.Join(errs...)
}

func (w *World) withdraw(ctx context.Context, r revocation, before string) error {
	c, err := w.Lab.Cluster(r.mesh)
	if err != nil {
		return err
	}
	if r.distrust != nil {
		return w.distrusted(ctx, r, before)
	}
	if r.then == nil {
		return w.Engine.Cancel(ctx, c, before)
	}
	peers, err := w.peers(ctx, r.mesh)
	if err != nil {
		return err
	}
	peers = slices.DeleteFunc(peers, func(p pairing.Peer) bool { return p.Name == r.stranger })
	w.declared[r.mesh] = pairing.Declarations(r.mesh, peers) + "---\n" + *r.then
	return supported(w.Engine.Apply(ctx, c, w.declared[r.mesh]))
}

// distrusted withdraws by the gateway's secret, or by another one which the
// declarations name from then on.
func (w *World) distrusted(ctx context.Context, r revocation, before string) error {
	t := Trust{AnotherRoot: r.distrust.root}
	if !t.AnotherRoot {
		serial, err := w.Meshes.Serial(Caller{Credentials: Own, Mesh: "c1"})
		if err != nil {
			return inconclusive(err)
		}
		t.Revoked = []*big.Int{serial}
	}
	own := pairing.IngressSecret(r.mesh)
	if r.distrust.renamed {
		t.Secret = own + "-" + strings.ToLower(newNonce())
	}
	if err := w.own(r.mesh, w.Owners.Trust(ctx, r.mesh, t)); err != nil || !r.distrust.renamed {
		return err
	}
	c, err := w.Lab.Cluster(r.mesh)
	if err != nil {
		return err
	}
	w.declared[r.mesh] = strings.Replace(before, "credentialName: "+own, "credentialName: "+t.Secret, 1)
	return w.Engine.Apply(ctx, c, w.declared[r.mesh])
}

// probes are lines that ask all the time.
type probes struct {
	all  []*probe
	end  context.CancelFunc
	over *errgroup.Group
}

// probe is one line and what came of it.
type probe struct {
	kind    reports.Connection
	line    Line
	request Request
	// over is closed when the connection is: nothing can be served on it then.
	over    chan struct{}
	answers []timed
}

// warm is how often a line must have been served before the withdrawal: a
// connection that never worked proves nothing by not working.
const warm = 3

func (w *World) startProbes(ctx context.Context, r revocation) (*probes, error) {
	own, end := context.WithCancel(ctx)
	p := &probes{end: end, over: &errgroup.Group{}}
	caller := Caller{Credentials: Own, Mesh: "c1"}
	for _, kind := range r.kinds() {
		line, err := w.Meshes.Line(ctx, r.mesh, caller, kind)
		if err != nil {
			return nil, errors.Join(inconclusive(err), p.stop())
		}
		one := &probe{kind: kind, line: line, request: Request{Method: http.MethodGet, URL: r.path}, over: make(chan struct{})}
		if kind == reports.OpenStream {
			one.request.URL = strings.TrimSuffix(r.path, ratingsOfBook) + openStream
		}
		p.all = append(p.all, one)
		for range warm {
			if err := one.ask(ctx); err != nil {
				return nil, errors.Join(inconclusive(err), p.stop())
			}
		}
		if kind != reports.IdleHTTP1 {
			p.over.Go(func() error { return one.askAllTheTime(own) })
		}
	}
	return p, nil
}

func (p *probe) ask(ctx context.Context) error {
	sent := time.Now()
	p.request.Nonce = newNonce()
	answer, err := p.line.Ask(ctx, p.request)
	if err != nil {
		return err
	}
	p.answers = append(p.answers, timed{sent: sent, done: time.Now(), Outcome: answer})
	return nil
}

func (p *probe) askAllTheTime(ctx context.Context) error {
	defer close(p.over)
	for ctx.Err() == nil && p.line.Live() {
		if err := p.ask(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		restFor(ctx, probePause)
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
		if early && one.kind != reports.NewConnection && one.kind != reports.ResumedConnection {
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

// askIdle uses the connections that were idle until now.
func (p *probes) askIdle(ctx context.Context) {
	for _, one := range p.all {
		if one.kind == reports.IdleHTTP1 && one.line.Live() {
			p.over.Go(func() error { return one.ask(ctx) })
		}
	}
}

func (p *probes) stop() error {
	p.end()
	err := p.over.Wait()
	for _, one := range p.all {
		one.line.Close()
	}
	if err != nil {
		return inconclusive(err)
	}
	return nil
}

// lastServed is how long after the moment an answer was still given.
func (p *probe) lastServed(moment time.Time) (time.Duration, error) {
	served, last := 0, time.Duration(0)
	for _, a := range p.answers {
		switch {
		case turnedAway(a.Outcome):
		case !gotIn(a.Outcome):
			return 0, fmt.Errorf("no answer in time: %s", a.Outcome)
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
