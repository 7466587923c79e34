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

// errControlFailed is in the error of a control that was not answered as before.
var errControlFailed = errors.New("the control failed")

// refused asks q once, between two controls, and checks that it failed as
// wanted and that no workload of any mesh saw it.
func (w *World) refused(ctx context.Context, q question, wanted string, fits func(traffic.Outcome) bool) error {
	attempt, after, err := w.betweenControls(ctx, q, newNonce())
	if err := attempt.judged(err, wanted, fits); err != nil {
		return err
	}
	w.denied = &denied{attempt: attempt, after: after}
	return w.unseenAnywhere(ctx, attempt.nonce, after)
}

// judged is what came of an attempt that should fail as wanted, with what came of
// the controls around it: that it was answered needs no control to be a fault.
func (a asked) judged(controls error, wanted string, fits func(traffic.Outcome) bool) error {
	leaked := a.Kind == traffic.Allowed
	if controls != nil && !leaked {
		return controls
	}
	if !fits(a.Outcome) {
		return fmt.Errorf("want %s; got: %s", wanted, a)
	}
	return controls
}

// refusedOnceSettled is refused, and tries again if a control fails: whatever has
// just changed in a mesh ends connections that its workloads had open, and whoever
// uses one at that moment is not answered. The attempt itself gets no second try.
func (w *World) refusedOnceSettled(ctx context.Context, q question, wanted string, fits func(traffic.Outcome) bool) error {
	limited, cancel := context.WithTimeoutCause(ctx, settling, errLate)
	defer cancel()
	for {
		err := w.refused(ctx, q, wanted, fits)
		if !errors.Is(err, errControlFailed) {
			return err
		}
		if rest(limited); limited.Err() != nil {
			return fmt.Errorf("%w (%w, after %s)", err, context.Cause(limited), settling)
		}
	}
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
	return one, fmt.Errorf("%w %s the attempt: %s", errControlFailed, when, one)
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
