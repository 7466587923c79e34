package steps

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/cluster"
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
	// late is the nonce of all that is sent when the bound has passed.
	late string
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

// refusals are how a way to withdraw refuses whoever connects after it.
type refusals struct {
	// words for proof.
	words string
	// proof is what it comes to, and lasting what may still be met when the bound
	// has passed.
	proof, lasting refusal
}

// refusals of a cancel: a gateway that has nothing to serve has no listener, and
// the one before it may refuse until it is gone. Of certificates: see parseRefusal
// for the race that an alert can lose.
func (r revocation) refusals() refusals {
	switch {
	case r.distrust != nil:
		alert := traffic.TLSAlert("certificate_revoked")
		if r.distrust.root {
			alert = "unknown_ca"
		}
		return refusals{
			words: "the TLS alert " + string(alert), proof: refusal{kinds: []traffic.Kind{traffic.HandshakeRefused}, alert: alert},
			lasting: refusal{kinds: []traffic.Kind{traffic.HandshakeRefused, traffic.Reset}},
		}
	case r.then == nil:
		return refusals{
			words: "no connection", proof: refusal{kinds: []traffic.Kind{traffic.Reset, traffic.Unreachable}},
			lasting: refusal{kinds: []traffic.Kind{traffic.Reset, traffic.Unreachable, traffic.DeniedByPolicy, traffic.NoRoute}},
		}
	}
	denied := refusal{kinds: []traffic.Kind{traffic.DeniedByPolicy}}
	return refusals{words: string(traffic.DeniedByPolicy), proof: denied, lasting: denied}
}

// madeAnew says whether on that kind each request has a connection of its own.
func madeAnew(kind reports.Connection) bool {
	return kind == reports.NewConnection || kind == reports.ResumedConnection || kind == reports.NoResumption
}

func (r revocation) bound(kind reports.Connection) time.Duration {
	if madeAnew(kind) {
		return time.Duration(r.fresh) * time.Millisecond
	}
	return time.Duration(r.live) * time.Millisecond
}

const (
	// probePause is how often a line asks: the resolution of the figures.
	probePause = 5 * time.Millisecond
	// watched is how long after the last bound nothing may be served any more.
	watched = 500 * time.Millisecond
	// watchedLast is the same in the last trial of some ways: ten seconds in all.
	watchedLast = 8 * time.Second
)

// watchedLong: a cancel, a peer that is removed and what certificates withdraw. On
// an answer that has broken off nothing more can come, and new connections are
// watched for as long beside the live ones of the same cancel.
func (r revocation) watchedLong() bool {
	return (r.then == nil || r.stranger != "") && r.which != "streaming"
}

// revoked withdraws several times what was applied before, and measures from
// the API server's word to the last request that was served nevertheless.
func (w *World) revoked(ctx context.Context, r revocation) error {
	r.before, r.late = w.declared[r.mesh], newNonce()
	took := map[reports.Connection]timings{}
	var errs []error
	for trial := range r.times {
		rest := watched
		if trial == r.times-1 && r.watchedLong() {
			rest = watchedLast
		}
		if err := w.trial(ctx, r, trial, rest, took); err != nil {
			errs = append(errs, fmt.Errorf("trial %d: %w", trial+1, err))
			break
		}
	}
	for _, kind := range append(r.kinds(), reports.NoResumption) {
		if len(took[kind].served) == 0 {
			continue
		}
		figure := reports.Revocation(r.way, kind, millis(r.bound(kind)), took[kind].served)
		figure.AcknowledgedMillis = took[kind].acknowledged
		figure.ProbeIntervalMillis = float64(probePause.Milliseconds())
		if err := w.Attach(figure); err != nil {
			errs = append(errs, err)
			continue
		}
		told := fmt.Sprintf("%s, %s: %d trials, p50 %.0f ms, p99 %.0f ms, most %.0f ms", r.way, kind, figure.N, figure.P50Millis, figure.P99Millis, figure.MaxMillis)
		if most := figure.MostAcknowledgedMillis(); most > 0 {
			told += fmt.Sprintf("; accepted after at most %.0f ms", most)
		}
		w.record = append(w.record, told)
		errs = append(errs, figure.Holds())
	}
	if err := reports.Weighed(errs...); err != nil {
		return err
	}
	return w.nothingLate(ctx, r)
}

const (
	// ratingsOfBook is what paths of ratings end in, and openStream an answer
	// of theirs that lasts longer than any trial.
	ratingsOfBook = "ratings/0"
	openStream    = "stream/100"
)

// timings of all trials on one kind of connection, in milliseconds: from the API
// server's word to the last request that was served, and from the question to the
// engine, if it was asked at all, to that word.
type timings struct{ served, acknowledged []float64 }

// trial is one withdrawal.
func (w *World) trial(ctx context.Context, r revocation, trial int, rest time.Duration, took map[reports.Connection]timings) error {
	if _, err := w.grantAgain(ctx, r); err != nil {
		return err
	}
	probes, err := w.startProbes(ctx, r)
	if err != nil {
		return err
	}
	asked, withdrawn := w.withdraw(ctx, r)
	acknowledged := time.Now()
	if withdrawn == nil {
		probes.due(acknowledged, r)
		probes.restUntilOver(ctx, r.bound(reports.LiveHTTP1), trial < r.times-1)
		probes.askIdle(ctx)
		restFor(ctx, rest)
		probes.restUntilAsked(ctx)
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
		of := took[p.kind]
		of.served = append(of.served, millis(last))
		if !asked.IsZero() {
			of.acknowledged = append(of.acknowledged, millis(acknowledged.Sub(asked)))
		}
		took[p.kind] = of
		if !p.anew() {
			continue
		}
		if err := p.turnedAwayAs(r.refusals()); err != nil {
			errs = append(errs, fmt.Errorf("%s connection: %w", p.kind, err))
		}
	}
	return reports.Weighed(errs...)
}

// grantAgain declares what is to be withdrawn, and waits until it is in force.
func (w *World) grantAgain(ctx context.Context, r revocation) (asked, error) {
	c, err := w.Lab.Cluster(r.mesh)
	if err != nil {
		return asked{}, err
	}
	if err := w.restore(ctx); err != nil {
		return asked{}, inconclusive(err)
	}
	w.declared[r.mesh] = r.before
	if err := supported(w.Engine.Apply(ctx, c, r.before)); err != nil {
		return asked{}, err
	}
	q, err := w.atEdge(r.mesh, http.MethodGet, r.path, "c1's certificate")
	if err != nil {
		return asked{}, err
	}
	return w.until(ctx, q, settling, "an answer", by(traffic.Backend{}))
}

// nothingLate holds if no workload has seen what was sent when the bound had
// passed, at a gateway that is none the worse: one that has died lets nobody in
// either. It serves c3, to whom the grant has gone, at once; or c1 as soon as it is
// granted again, where the withdrawal has left nobody.
func (w *World) nothingLate(ctx context.Context, r revocation) error {
	if r.then == nil {
		after, err := w.grantAgain(ctx, r)
		if err != nil {
			return fmt.Errorf("granted again: %w", err)
		}
		return w.unseenAnywhere(ctx, r.late, after)
	}
	q, err := w.atEdge(r.mesh, http.MethodGet, r.path, "c3's certificate")
	if err != nil {
		return err
	}
	after, err := (&control{question: q, fits: by(traffic.Backend{})}).alive(ctx, "right after", &w.record)
	if err != nil {
		return err
	}
	return w.unseenAnywhere(ctx, r.late, after)
}

// withdraw returns the moment at which the engine was asked, so that it answers for
// no time of ours. It is zero if nothing was asked of it.
func (w *World) withdraw(ctx context.Context, r revocation) (asked time.Time, err error) {
	c, err := w.Lab.Cluster(r.mesh)
	if err != nil {
		return time.Time{}, err
	}
	if r.distrust != nil {
		return w.distrusted(ctx, c, r)
	}
	if r.then == nil {
		asked = time.Now()
		return asked, w.Engine.Cancel(ctx, c, r.before)
	}
	peers, err := w.peers(ctx, r.mesh)
	if err != nil {
		return time.Time{}, err
	}
	peers = slices.DeleteFunc(peers, func(p pairing.Peer) bool { return p.Name == r.stranger })
	w.declared[r.mesh] = pairing.Declarations(r.mesh, peers) + "---\n" + *r.then
	asked = time.Now()
	return asked, supported(w.Engine.Apply(ctx, c, w.declared[r.mesh]))
}

// distrusted withdraws by the gateway's secret, which is the owner's doing alone,
// or by another one which the declarations name from then on.
func (w *World) distrusted(ctx context.Context, c cluster.Cluster, r revocation) (asked time.Time, err error) {
	t := Trust{AnotherRoot: r.distrust.root}
	if !t.AnotherRoot {
		serial, err := w.Meshes.Serial(Caller{Credentials: Own, Mesh: "c1"})
		if err != nil {
			return time.Time{}, inconclusive(err)
		}
		t.Revoked = []*big.Int{serial}
	}
	own := pairing.IngressSecret(r.mesh)
	if r.distrust.renamed {
		t.Secret = own + "-" + strings.ToLower(newNonce())
	}
	if err := w.own(r.mesh, w.Owners.Trust(ctx, r.mesh, t)); err != nil || !r.distrust.renamed {
		return time.Time{}, err
	}
	w.declared[r.mesh] = strings.Replace(r.before, "credentialName: "+own, "credentialName: "+t.Secret, 1)
	asked = time.Now()
	return asked, w.Engine.Apply(ctx, c, w.declared[r.mesh])
}
