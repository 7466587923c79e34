package steps

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meshfed/meshfed/traffic"
)

// asked is a request that was sent and what became of it.
type asked struct {
	what  string
	nonce string
	traffic.Outcome
}

func (a asked) String() string { return fmt.Sprintf("%s [nonce %s]: %s", a.what, a.nonce, a.Outcome) }

// question is a request that can be asked again, each time with a nonce of the
// asker's choice.
type question struct {
	what string
	send func(ctx context.Context, nonce string) (traffic.Outcome, error)
}

// control is a question whose answer is known: it proves that the mesh is
// alive while something else is refused.
type control struct {
	question
	fits func(traffic.Outcome) bool
}

func newNonce() string { return rand.Text()[:12] }

// record is what was asked and what came of it, a line each. One that is asked
// at the same time as others has a record of its own.
type record []string

// ask asks once and notes it for the evidence. An error is the harness's.
func (r *record) ask(ctx context.Context, q question, nonce string) (asked, error) {
	answer, err := q.send(ctx, nonce)
	if err != nil {
		*r = append(*r, fmt.Sprintf("%s [nonce %s]: not sent: %v", q.what, nonce, err))
		return asked{}, inconclusive(fmt.Errorf("%s: %w", q.what, err))
	}
	a := asked{what: q.what, nonce: nonce, Outcome: answer}
	*r = append(*r, time.Now().UTC().Format("15:04:05.000 ")+a.String())
	return a, nil
}

func (w *World) ask(ctx context.Context, q question, nonce string) (asked, error) {
	return w.record.ask(ctx, q, nonce)
}

const (
	// settling bounds how long an accepted declaration may take to work.
	settling = 10 * time.Second
	// pause between two tries: short beside what a control plane takes to
	// push, long beside what a probe costs.
	pause = 20 * time.Millisecond
)

// errLate is why a wait ended.
var errLate = errors.New("it did not happen in time")

// attempt is one try of until, which may run beside others.
type attempt struct {
	asked
	record record
	err    error
}

// until asks, each time anew, until the answer fits, at most for patience. The
// error says what was seen last and what was wanted.
func (w *World) until(ctx context.Context, q question, patience time.Duration, wanted string, fits func(traffic.Outcome) bool) (asked, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	var last asked
	for one := range inTurn(ctx, func(ctx context.Context) (a attempt) {
		a.asked, a.err = a.record.ask(ctx, q, newNonce())
		return a
	}) {
		w.record = append(w.record, one.record...)
		if ctx.Err() != nil {
			break
		}
		if one.err != nil {
			return one.asked, one.err
		}
		last = one.asked
		if fits(last.Outcome) {
			return last, nil
		}
	}
	return last, fmt.Errorf("%s: want %s; seen last: %s (%w, after %s)", q.what, wanted, last.Outcome, context.Cause(ctx), patience)
}

// mostAsked is how often something is asked at a time at most: one in ten that
// differs is missed once in 10^18 times.
const mostAsked = 400

// untilAll asks from within a mesh, so many times with one nonce, until all answers
// fit, and returns one of them, or with the error one that does not. After a try
// that failed twice as many are asked: one in ten that differs would get through if
// it were only asked often enough.
func (w *World) untilAll(ctx context.Context, mesh string, r Request, times int, wanted string, fits func(traffic.Outcome) bool) (one asked, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, settling, errLate)
	defer cancel()
	for {
		nonce, answers, err := w.many(limited, mesh, r, times)
		if limited.Err() != nil {
			err := fmt.Errorf("%s in %s: want %s of all %d; seen last: %s (%w, after %s)", r, mesh, wanted, times, one, context.Cause(limited), settling)
			if one.nonce == "" || one.Kind == traffic.TimedOut { // a machine that is too slow to ask them all
				err = inconclusive(err)
			}
			return one, err
		}
		if err != nil {
			return one, inconclusive(err)
		}
		one = asked{what: fmt.Sprintf("%s in %s, %d times", r, mesh, times), nonce: nonce}
		at := slices.IndexFunc(answers, func(o traffic.Outcome) bool { return !fits(o) })
		if at < 0 {
			one.Outcome = answers[0]
			w.record = append(w.record, one.String()+", and all others alike")
			return one, nil
		}
		one.Outcome = answers[at]
		w.record = append(w.record, "one of them: "+one.String())
		if one.Kind != traffic.TimedOut { // more of them would be no quicker
			times = min(2*times, mostAsked)
		}
		rest(limited)
	}
}

// stayed holds if no workload of another mesh has seen what bears that nonce.
func (w *World) stayed(ctx context.Context, mesh, nonce string) error {
	for _, c := range w.Lab.Clusters() {
		if c.Name() == mesh {
			continue
		}
		arrivals, err := w.Meshes.Arrivals(ctx, c.Name(), nonce)
		if err != nil {
			return inconclusive(err)
		}
		if len(arrivals) > 0 {
			return fmt.Errorf("it stays in %s, and yet %s (nonce %s)", mesh, arrivals[0], nonce)
		}
	}
	return nil
}

// rest lets a little time pass, or none if ctx ends.
func rest(ctx context.Context) { restFor(ctx, pause) }

func restFor(ctx context.Context, d time.Duration) { traffic.Rest(ctx, d) }

// answered waits until a question is answered by that workload and makes it
// the control of what follows, and what "it" means there.
func (w *World) answered(ctx context.Context, q question, want traffic.Backend) error {
	one, err := w.until(ctx, q, settling, "an answer of "+want.String(), by(want))
	if err != nil {
		return err
	}
	w.control, w.seen = &control{question: q, fits: by(want)}, &one
	return nil
}
