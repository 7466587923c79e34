package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// Breakage is the closed set of what can be broken.
type Breakage string

// The breakages, in the words of the features; each is one of a mesh.
const (
	IngressKilled   Breakage = "the private ingress gateway is killed"
	ControlKilled   Breakage = "the control plane is killed"
	EngineKilled    Breakage = "the engine is killed"
	APIServerPaused Breakage = "the API server is paused"
	EtcdPaused      Breakage = "etcd is paused"
	APIServerKilled Breakage = "the API server is killed"
	EtcdKilled      Breakage = "etcd is killed"
	EtcdDiskFull    Breakage = "the disk of etcd is full"
	ClusterPaused   Breakage = "the whole cluster is paused"
	LinkCut         Breakage = "the link is cut"
	LinkSlow        Breakage = "the link is slowed"
	LinkTorn        Breakage = "the link is reset"
)

// Breakages is the whole vocabulary.
func Breakages() []Breakage {
	return []Breakage{IngressKilled, ControlKilled, EngineKilled, APIServerPaused, EtcdPaused, APIServerKilled, EtcdKilled, EtcdDiskFull,
		ClusterPaused, LinkCut, LinkSlow, LinkTorn}
}

// ErrCannotBreak is why something cannot be broken here.
var ErrCannotBreak = errors.New("it cannot be broken here")

// Faults breaks what the meshes run on.
type Faults interface {
	// Break breaks something of a mesh; mend makes it whole and returns when
	// it is. An error that wraps ErrCannotBreak says why nobody can.
	Break(ctx context.Context, mesh string, what Breakage) (mend func(context.Context) error, err error)
	// Between opens a way from one mesh to the gateway of another that can be
	// broken.
	Between(ctx context.Context, from, to string) (Way, error)
}

func (w *World) faultSteps(sc *godog.ScenarioContext) {
	sc.When(`^for (\d+m?s) (.+ (?:killed|paused|full|cut|slowed|reset)), while all kinds of callers ask (c\d) for "GET ([^"]+)"$`, w.breakFor)
	sc.Then(`^nothing that is allowed has failed$`, func(ctx context.Context) error { return w.survived(ctx, 0) })
	sc.Then(`^what is allowed is answered again at most (\d+m?s) after that$`, func(ctx context.Context, within string) error {
		bound, err := time.ParseDuration(within)
		if err != nil {
			return err
		}
		return w.survived(ctx, bound)
	})
	sc.Then(`^nothing that is denied was accepted, not once$`, w.nothingAccepted)
}

// broken is a fault and those who ask all the time meanwhile.
type broken struct {
	words   string
	mend    func(context.Context) error
	began   time.Time
	mended  time.Time
	allowed *watcher
	denied  []*watcher
	// bound is what was allowed to the ones that are served, and unwell how long
	// after the end they were still not served at all, if that was too long.
	bound, unwell time.Duration
}

// watcher is a caller who asks all the time, always with one nonce.
type watcher struct {
	*steady
	nonce string
}

// ofMesh finds the mesh in the words of a fault; what remains names the breakage.
var ofMesh = regexp.MustCompile(` (?:of|to) (c\d)\b`)

func parseBreakage(words string) (Breakage, string, error) {
	mesh := ofMesh.FindStringSubmatch(words)
	what := Breakage(ofMesh.ReplaceAllString(words, ""))
	if mesh == nil || !slices.Contains(Breakages(), what) {
		return "", "", fmt.Errorf("a fault %q: want one of %q, of a mesh", words, Breakages())
	}
	return what, mesh[1], nil
}

// breakFor watches from before the fault until the scenario asks what came of
// it. Those who watch connect anew for each request, so that each is decided
// anew.
func (w *World) breakFor(ctx context.Context, duration, words, at, path string) error {
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	what, mesh, err := parseBreakage(words)
	if err != nil {
		return err
	}
	w.broken = &broken{words: words}
	if err := w.askers(at, path); err != nil {
		return err
	}
	return w.watchBroken(ctx, d, func(ctx context.Context) (func(context.Context) error, error) {
		return w.Faults.Break(ctx, mesh, what)
	})
}

// watchBroken breaks something for some time, while those who watch ask.
func (w *World) watchBroken(ctx context.Context, d time.Duration, doBreak func(context.Context) (func(context.Context) error, error)) error {
	if err := w.broken.startWatch(ctx); err != nil {
		return inconclusive(err)
	}
	var err error
	w.broken.mend, err = doBreak(ctx)
	if errors.Is(err, ErrCannotBreak) {
		return fmt.Errorf("%w: %w", godog.ErrSkip, err)
	}
	if err != nil {
		return inconclusive(err)
	}
	w.broken.began = time.Now()
	restFor(ctx, d)
	return w.mend(ctx)
}

// askers says who asks: one who is served, and everybody who must not be.
func (w *World) askers(mesh, path string) error {
	ask := func(method, path, words string) (*watcher, error) {
		q, err := w.atEdge(mesh, method, path, words)
		if err != nil {
			return nil, err
		}
		one := &watcher{nonce: newNonce()}
		one.steady = &steady{what: q.what, overlapping: true}
		one.send = func(ctx context.Context) ([]traffic.Outcome, error) {
			answer, err := q.send(ctx, one.nonce)
			return []traffic.Outcome{answer}, err
		}
		return one, nil
	}
	var err error
	if w.broken.allowed, err = ask(http.MethodGet, path, "c1's certificate"); err != nil {
		return err
	}
	for _, d := range []struct{ method, path, caller string }{
		{http.MethodGet, path, "c3's certificate"},
		{http.MethodGet, path, "c1's name from another CA"},
		{http.MethodGet, path, "no certificate"},
		{http.MethodDelete, path, "c1's certificate"},
		{http.MethodGet, "/" + strings.TrimPrefix(path, "/bookinfo"), "c1's certificate"},
	} {
		one, err := ask(d.method, d.path, d.caller)
		if err != nil {
			return err
		}
		w.broken.denied = append(w.broken.denied, one)
	}
	return nil
}

// startWatch returns when everybody has been answered often enough while nothing
// is broken, and those who are to be served were served. What became of the
// others is judged in the end.
func (b *broken) startWatch(ctx context.Context) error {
	for _, one := range append(b.denied, b.allowed) {
		one.start(ctx)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, settling, errLate)
	defer cancel()
	for _, one := range append(b.denied, b.allowed) {
		for one.count() < enough || one == b.allowed && one.served() < enough {
			if bounded.Err() != nil {
				return fmt.Errorf("%s: %d answers, served %d times: %w", one.what, one.count(), one.served(), context.Cause(bounded))
			}
			restFor(bounded, steadyPause)
		}
	}
	return nil
}

// mend makes whole what is broken. It is called once more at the end of every
// scenario, and tries again then if it has failed.
func (w *World) mend(ctx context.Context) error {
	b := w.broken
	if b == nil || b.mend == nil {
		return nil
	}
	err := b.mend(ctx)
	b.mended = time.Now()
	if err != nil {
		return inconclusive(fmt.Errorf("mend after %s: %w", b.words, err))
	}
	b.mend = nil
	return nil
}

// survived waits until what is allowed is answered again, at most as long as
// it may take, and some more. A bound of zero means that nothing may fail. What
// came of it is judged with everything else, in the end.
func (w *World) survived(ctx context.Context, bound time.Duration) error {
	b := w.broken
	if b == nil {
		return errors.New("nothing was broken: begin with that")
	}
	b.bound = bound
	restFor(ctx, time.Until(b.mended.Add(quiet)))
	bounded, cancel := context.WithDeadlineCause(ctx, b.mended.Add(bound+quiet), errLate)
	defer cancel()
	for {
		served, failed := b.allowed.since(time.Now().Add(-quiet))
		if failed == 0 && served >= enough {
			return nil
		}
		if bounded.Err() != nil {
			if b.allowed.failed() == nil && (failed > 0 || served == 0) {
				b.unwell = time.Since(b.mended)
			}
			return nil
		}
		rest(bounded)
	}
}

// since is what became of what was sent from then on.
func (s *steady) since(then time.Time) (served, failed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.answers {
		switch {
		case a.sent.Before(then):
		case a.Kind == traffic.Allowed:
			served++
		default:
			failed++
		}
	}
	return served, failed
}

func (s *steady) served() int {
	served, _ := s.since(time.Time{})
	return served
}

// nothingAccepted ends the watch and judges all of it.
func (w *World) nothingAccepted(ctx context.Context) error {
	b := w.broken
	if b == nil {
		return errors.New("nothing was broken: begin with that")
	}
	figure := reports.FaultFigure{Fault: b.words, BoundMillis: millis(b.bound)}
	var errs []error
	stopped := func(one *watcher) []timed {
		answers, err := one.stop()
		if err != nil {
			errs = append(errs, inconclusive(err))
		}
		return answers
	}
	errs = append(errs, b.decidedAgain(ctx))
	w.countAllowed(&figure, stopped(b.allowed))
	for _, one := range b.denied {
		answers := stopped(one)
		figure.Denied += decidedSince(answers, time.Time{})
		figure.Accepted += w.countAccepted(one, answers)
	}
	errs = append(errs, w.unseenOf(ctx, b.denied))
	w.record = append(w.record, reports.Figures{Faults: []reports.FaultFigure{figure}}.Lines()...)
	if err := w.Attach(figure); err != nil {
		errs = append(errs, inconclusive(err))
	}
	return reports.Weighed(append(errs, figure.Holds())...)
}

// decided says whether somebody judged the request. One that met nobody was not
// refused: a gateway that is away turns everybody away, and opens up when it is
// back.
func decided(o traffic.Outcome) bool {
	switch o.Kind {
	case traffic.DeniedByPolicy, traffic.HandshakeRefused, traffic.NoRoute, traffic.Malformed:
		return true
	}
	return gotIn(o)
}

func decidedSince(answers []timed, then time.Time) (n int) {
	for _, a := range answers {
		if !a.sent.Before(then) && decided(a.Outcome) {
			n++
		}
	}
	return n
}

// decidedAgain waits until each of those who are denied was judged often enough
// since the end of the fault: what an ill gateway forgets shows when it is back.
func (b *broken) decidedAgain(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settling, errLate)
	defer cancel()
	judged := func(one *watcher) int {
		one.mu.Lock()
		defer one.mu.Unlock()
		return decidedSince(one.answers, b.mended)
	}
	for _, one := range b.denied {
		for judged(one) < enough {
			if ctx.Err() != nil || one.failed() != nil {
				return inconclusive(fmt.Errorf("%s: judged %d times after %s, want %d", one.what, judged(one), b.words, enough))
			}
			restFor(ctx, steadyPause)
		}
	}
	return nil
}

// unseenOf holds if no workload has seen any request of theirs, and has seen one
// that was sent behind them all.
func (w *World) unseenOf(ctx context.Context, denied []*watcher) error {
	after, err := w.alive(ctx, "afterwards")
	if err != nil {
		return err
	}
	var errs []error
	for _, one := range denied {
		errs = append(errs, w.unseenAnywhere(ctx, one.nonce, after))
	}
	return reports.Weighed(errs...)
}

// countAllowed takes for the recovery the moment from which on all that was sent
// was served. What was sent before the end of the fault, and failed afterwards,
// has met the fault.
func (w *World) countAllowed(figure *reports.FaultFigure, answers []timed) {
	slices.SortFunc(answers, func(a, b timed) int { return a.sent.Compare(b.sent) })
	figure.Allowed = len(answers)
	figure.RecoveredMillis = millis(w.broken.unwell)
	ill := false
	for _, a := range answers {
		after := millis(a.sent.Sub(w.broken.mended))
		if a.Kind == traffic.Allowed {
			if ill {
				figure.RecoveredMillis = max(figure.RecoveredMillis, after)
			}
			ill = false
			continue
		}
		figure.Failed++
		ill = after > 0
		if figure.Failed <= enough {
			w.record = append(w.record, fmt.Sprintf("%s failed at %s: %s", w.broken.allowed.what, a.done.UTC().Format("15:04:05.000"), a.Outcome))
		}
	}
}

// countAccepted takes everything that a workload has answered for accepted.
func (w *World) countAccepted(one *watcher, answers []timed) (n int) {
	kinds := map[traffic.Kind]int{}
	for _, a := range answers {
		kinds[a.Kind]++
		if gotIn(a.Outcome) {
			n++
			w.record = append(w.record, fmt.Sprintf("%s was accepted at %s: %s", one.what, a.done.UTC().Format("15:04:05.000"), a.Outcome))
		}
	}
	w.record = append(w.record, fmt.Sprintf("%s: asked %d times: %v", one.what, len(answers), kinds))
	return n
}

// endWatch ends those who watch, if a scenario has not come to its end.
func (w *World) endWatch() {
	if w.broken == nil {
		return
	}
	for _, one := range append(w.broken.denied, w.broken.allowed) {
		if one != nil && one.end != nil {
			_, _ = one.abandon()
		}
	}
	w.broken = nil
}
