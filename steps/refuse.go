package steps

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// errNoControl is a fault of the feature, not of the engine.
var errNoControl = errors.New("no request was answered before in this scenario, so a refusal would prove nothing: add one that is")

// refused asks q once, between two controls, and checks that it failed as
// wanted and that no workload of any mesh saw it.
func (w *World) refused(ctx context.Context, q question, wanted string, fits func(traffic.Outcome) bool) error {
	attempt, after, err := w.betweenControls(ctx, q, newNonce())
	if err != nil {
		return err
	}
	if !fits(attempt.Outcome) {
		return fmt.Errorf("want %s; got: %s", wanted, attempt)
	}
	w.denied = &denied{attempt: attempt, after: after}
	return w.unseenAnywhere(ctx, attempt.nonce, after)
}

// denied is a request that was refused, and the control behind it.
type denied struct{ attempt, after asked }

// tried is about the request that was refused last: so often has the peer's gateway
// been asked, whoever on its way has asked again.
func (w *World) tried(ctx context.Context, mesh string, times int) error {
	if w.denied == nil {
		return errors.New("no request was refused before in this scenario")
	}
	tries, err := w.Meshes.Tries(ctx, mesh, w.denied.attempt.nonce, w.denied.after.nonce)
	if err != nil {
		return inconclusive(err)
	}
	if tries != times {
		return fmt.Errorf("the ingress gateway of %s was asked %d times, want %d: %s", mesh, tries, times, w.denied.attempt)
	}
	return nil
}

// unseenAnywhere holds if no workload of any mesh saw a request with that nonce
// while the control was counted. All are asked at once; that something was seen
// outweighs that somebody could not be asked.
func (w *World) unseenAnywhere(ctx context.Context, nonce string, control asked) error {
	clusters := w.Lab.Clusters()
	errs := make([]error, len(clusters)+1)
	var all sync.WaitGroup
	for i, c := range clusters {
		all.Go(func() { errs[i] = w.unseen(ctx, c.Name(), nonce) })
	}
	all.Go(func() { errs[len(clusters)] = w.counted(ctx, control) })
	all.Wait()
	return reports.Weighed(errs...)
}

// betweenControls asks q once, and never again until it is refused as wanted:
// that would hide a window in which it passes.
func (w *World) betweenControls(ctx context.Context, q question, nonce string) (attempt, after asked, err error) {
	if w.control == nil {
		return attempt, after, errNoControl
	}
	return w.control.around(ctx, q, nonce, &w.record)
}

// alive asks the control once.
func (w *World) alive(ctx context.Context, when string) (asked, error) {
	return w.control.alive(ctx, when, &w.record)
}

// around asks q once, between two of the control. It leaves the scenario's World
// alone: many may be asked at once, each with a record of its own.
func (c *control) around(ctx context.Context, q question, nonce string, r *record) (attempt, after asked, err error) {
	if _, err = c.alive(ctx, "right before", r); err != nil {
		return attempt, after, err
	}
	if attempt, err = r.ask(ctx, q, nonce); err != nil {
		return attempt, after, err
	}
	after, err = c.alive(ctx, "right after", r)
	return attempt, after, err
}

func (c *control) alive(ctx context.Context, when string, r *record) (asked, error) {
	one, err := r.ask(ctx, c.question, newNonce())
	switch {
	case err != nil || c.fits(one.Outcome):
		return one, err
	case one.Kind == traffic.TimedOut:
		return one, inconclusive(fmt.Errorf("the control was not answered in time %s the attempt: %s", when, one))
	}
	return one, fmt.Errorf("the control failed %s the attempt: %s", when, one)
}

// unseen holds if no workload of the mesh saw a request with that nonce.
func (w *World) unseen(ctx context.Context, mesh, nonce string) error {
	arrivals, err := w.Meshes.Arrivals(ctx, mesh, nonce)
	if err != nil {
		return inconclusive(err)
	}
	if len(arrivals) > 0 {
		return fmt.Errorf("it was refused, and yet %s", arrivals[0])
	}
	return nil
}

// counted holds if the control was seen where it was answered: a counter that
// counts nothing would make every "unseen" true.
func (w *World) counted(ctx context.Context, control asked) error {
	arrivals, err := w.Meshes.Arrivals(ctx, control.Backend.Cluster, control.nonce)
	if err != nil {
		return inconclusive(err)
	}
	if len(arrivals) == 0 {
		return inconclusive(fmt.Errorf("no workload of %s counted the control %s", control.Backend.Cluster, control))
	}
	return nil
}
