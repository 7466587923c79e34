package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
)

// Way leads from one mesh to the private ingress gateway of another, and can be
// broken.
type Way interface {
	// Address is where it begins, as seen from the first mesh.
	Address() (host, port string)
	// Break does to the way what Faults does to links.
	Break(ctx context.Context, what Breakage) (mend func(context.Context) error, err error)
	// Close ends it. Who has been sent there finds nobody any more.
	Close(ctx context.Context) error
}

func (w *World) waySteps(sc *godog.ScenarioContext) {
	sc.Given(`^from (c\d) to the gateway of (c\d) there is only a link that can be broken$`, w.openWay)
	sc.When(`^for (\d+m?s) that link is (cut|slowed|reset), while workloads of (c\d) ask for "GET ([^"]+)", and callers of all kinds ask (c\d) for "GET ([^"]+)"$`, w.breakWay)
	sc.When(`^for (\d+m?s) that link is reset, and in (c\d) "GET ([^"]+)" is not answered$`, w.tearWay)
	sc.Then(`^meanwhile what is allowed has failed$`, func() error {
		return w.felt(func(a timed) bool { return a.Kind != traffic.Allowed })
	})
	sc.Then(`^meanwhile what is allowed has taken (\d+m?s) or longer$`, func(least string) error {
		d, err := time.ParseDuration(least)
		if err != nil {
			return err
		}
		return w.felt(func(a timed) bool { return a.Kind == traffic.Allowed && a.Latency >= d })
	})
}

// openWay holds from the next declarations on: the owner believes the gateway to
// be where the link begins.
func (w *World) openWay(ctx context.Context, from, to string) error {
	if w.way != nil {
		return errors.New("there is such a link already")
	}
	way, err := w.Faults.Between(ctx, from, to)
	if err != nil {
		return inconclusive(err)
	}
	w.way = way
	b := w.misled(to)
	b.Host, b.Port = way.Address()
	return nil
}

func (w *World) closeWay(ctx context.Context) error {
	if w.way == nil {
		return nil
	}
	way := w.way
	w.way = nil
	return way.Close(ctx)
}

// breakWay watches as breakFor does; but who is served is a workload, whose way
// leads through both gateways and the link, and so is one of those who are not.
func (w *World) breakWay(ctx context.Context, duration, trouble, from, url, at, path string) error {
	if w.way == nil {
		return errors.New("no link can be broken: begin with that")
	}
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	w.broken = &broken{words: "the link between the gateways is " + trouble}
	if err := w.askers(at, path); err != nil {
		return err
	}
	w.broken.allowed = w.insider(from, http.MethodGet, url)
	w.broken.denied = append(w.broken.denied, w.insider(from, http.MethodDelete, url))
	return w.watchBroken(ctx, d, func(ctx context.Context) (func(context.Context) error, error) {
		return w.way.Break(ctx, Breakage("the link is "+trouble))
	})
}

// tearWay ends every connection on the way. That nothing comes through meanwhile
// shows that there is no other: a new one is made anew, from its handshake on.
func (w *World) tearWay(ctx context.Context, duration, mesh, url string) error {
	if w.way == nil {
		return errors.New("no link can be broken: begin with that")
	}
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	mend, err := w.way.Break(ctx, LinkTorn)
	if err != nil {
		return inconclusive(err)
	}
	torn := time.Now()
	one, err := w.ask(ctx, w.inside(mesh, Request{Method: http.MethodGet, URL: url}), newNonce())
	restFor(ctx, time.Until(torn.Add(d)))
	if mended := mend(ctx); mended != nil {
		return errors.Join(inconclusive(mended), err)
	}
	if err == nil && gotIn(one.Outcome) {
		err = fmt.Errorf("the link is reset, and yet: %s", one)
	}
	return err
}

// insider is a workload that asks all the time.
func (w *World) insider(mesh, method, url string) *watcher {
	q := w.inside(mesh, Request{Method: method, URL: url})
	one := &watcher{nonce: newNonce()}
	one.steady = &steady{what: q.what, overlapping: true, send: func(ctx context.Context) ([]traffic.Outcome, error) {
		answer, err := q.send(ctx, one.nonce)
		return []traffic.Outcome{answer}, err
	}}
	return one
}

// felt holds if what is allowed has met the fault: a way that is broken and that
// nothing takes would prove nothing.
func (w *World) felt(by func(timed) bool) error {
	b := w.broken
	if b == nil || b.mended.IsZero() {
		return errors.New("nothing was broken: begin with that")
	}
	b.allowed.mu.Lock()
	defer b.allowed.mu.Unlock()
	n, met := 0, 0
	for _, a := range b.allowed.answers {
		if a.done.Before(b.began) || a.sent.After(b.mended) {
			continue
		}
		n++
		if by(a) {
			met++
		}
	}
	w.record = append(w.record, fmt.Sprintf("%s: %d of %d met %s", b.allowed.what, met, n, b.words))
	if met == 0 {
		return fmt.Errorf("while %s: none of %d answers to %s has met it", b.words, n, b.allowed.what)
	}
	return nil
}
