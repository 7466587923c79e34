package steps

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// steady asks one question over and over until it is stopped.
type steady struct {
	what string
	send burst
	// overlapping: a question that hangs does not hold up the next one. Who waits
	// for its answer sees nothing of what happens meanwhile.
	overlapping bool
	// asking ends the asking, and end also what is under way.
	asking, end context.CancelFunc
	over        chan struct{}

	mu      sync.Mutex
	answers []timed
	err     error
}

// timed is an answer with the moments between which it was decided.
type timed struct {
	sent, done time.Time
	traffic.Outcome
}

// steadyPause is short beside every bound that is measured with it.
const steadyPause = 5 * time.Millisecond

// burst sends one request or several, and returns when all are answered.
type burst func(ctx context.Context) ([]traffic.Outcome, error)

func startSteady(ctx context.Context, what string, send burst) *steady {
	s := &steady{what: what, send: send}
	s.start(ctx)
	return s
}

func (s *steady) start(ctx context.Context) {
	// It outlives the step that starts it, not the scenario.
	ctx, s.end = context.WithCancel(context.WithoutCancel(ctx))
	asking, stop := context.WithCancel(ctx)
	s.asking = stop
	s.over = make(chan struct{})
	go s.ask(asking, ctx)
}

// ask goes on for as long as asking does; sending is the context of what is asked.
func (s *steady) ask(asking, sending context.Context) {
	defer close(s.over)
	var all sync.WaitGroup
	defer all.Wait()
	for asking.Err() == nil && s.failed() == nil {
		answered := make(chan struct{})
		all.Go(func() {
			defer close(answered)
			s.once(sending)
		})
		if !s.overlapping {
			<-answered
		}
		select {
		case <-answered:
			restFor(asking, steadyPause)
		case <-time.After(hanging):
		}
	}
}

func (s *steady) once(ctx context.Context) {
	sent := time.Now()
	answers, err := s.send(ctx)
	switch {
	case ctx.Err() == nil:
		s.note(sent, answers, err)
	case s.overlapping:
		// It has outlasted lastWord, or nobody wants to know any more.
		s.note(sent, []traffic.Outcome{{Kind: traffic.TimedOut}}, nil)
	}
}

func (s *steady) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *steady) note(sent time.Time, answers []traffic.Outcome, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		// What could not be sent has no answer.
		s.err = err
		return
	}
	for _, a := range answers {
		s.answers = append(s.answers, timed{sent: sent, done: time.Now(), Outcome: a})
	}
}

// lastWord is how long what is under way may take when the asking ends: longer than
// any answer is waited for.
const lastWord = 4 * time.Second

// stop ends it and returns all answers. Of questions that overlap, each has its
// own answer before: to cut one off would make a failure of one that was served.
func (s *steady) stop() ([]timed, error) {
	s.asking()
	if s.overlapping {
		patience := time.NewTimer(lastWord)
		defer patience.Stop()
		select {
		case <-s.over:
		case <-patience.C:
		}
	}
	return s.abandon()
}

// abandon ends it at once.
func (s *steady) abandon() ([]timed, error) {
	s.end()
	<-s.over
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answers, s.err
}

func (s *steady) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers)
}

// countSince is how many answers there are to what was sent from then on.
func (s *steady) countSince(then time.Time) int {
	served, failed := s.since(then)
	return served + failed
}

func (w *World) steadySteps(sc *godog.ScenarioContext) {
	sc.Given(`^from now on, in (c\d), "([A-Z]+) ([^"]+)" is asked all the time$`, func(ctx context.Context, mesh, method, url string) error {
		r := Request{Method: method, URL: url, Nonce: newNonce()}
		return w.keepAsking(ctx, fmt.Sprintf("%s in %s", r, mesh), func(ctx context.Context) ([]traffic.Outcome, error) {
			return w.Meshes.Inside(ctx, mesh, r, burstSize)
		})
	})
	sc.Given(`^from now on, at (c\d), "([A-Z]+) ([^"]*)" with (.+) is asked all the time$`, func(ctx context.Context, mesh, method, path, caller string) error {
		q, err := w.atEdge(mesh, method, path, caller)
		if err != nil {
			return err
		}
		return w.keepAsking(ctx, q.what, func(ctx context.Context) ([]traffic.Outcome, error) {
			one, err := q.send(ctx, newNonce())
			return []traffic.Outcome{one}, err
		})
	})
	sc.Then(`^none of what is asked all the time has failed$`, w.noneFailed)
	sc.Then(`^what is asked all the time is answered at most (\d+m?s) after that, and never again$`, w.lastAnswer)
	sc.Then(`^what is asked all the time was refused, and is answered at most (\d+m?s) after that$`, w.firstAnswer)
}

// burstSize keeps a workload's traffic dense: the way into its pod takes longer
// than many of its requests, and a gap would hide the very moment in question.
const burstSize = 200

// enough is how many answers make "all the time" mean something.
const enough = 10

func (w *World) keepAsking(ctx context.Context, what string, send burst) error {
	if w.steady != nil {
		return errors.New("something is asked all the time already")
	}
	w.steady = startSteady(ctx, what, send)
	return w.moreAnswers(ctx, enough)
}

// moreAnswers waits for some more answers of what is asked all the time, to what
// is sent from now on: one that was under way was decided by what was before.
func (w *World) moreAnswers(ctx context.Context, more int) error {
	if w.steady == nil {
		return errors.New("nothing is asked all the time: begin with that")
	}
	now := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, settling, errLate)
	defer cancel()
	for w.steady.countSince(now) < more {
		select {
		case <-w.steady.over:
			_, err := w.steady.stop()
			return inconclusive(fmt.Errorf("%s: it ended by itself: %w", w.steady.what, err))
		case <-ctx.Done():
			return inconclusive(fmt.Errorf("%s: %d of %d answers: %w", w.steady.what, w.steady.countSince(now), more, context.Cause(ctx)))
		default:
			restFor(ctx, steadyPause)
		}
	}
	return nil
}

// finishSteady ends what is asked all the time, once it was asked some more.
func (w *World) finishSteady(ctx context.Context) ([]timed, error) {
	if err := w.moreAnswers(ctx, enough); err != nil {
		return nil, err
	}
	answers, err := w.steady.stop()
	what := w.steady.what
	w.steady = nil
	if err != nil {
		return nil, inconclusive(fmt.Errorf("%s: %w", what, err))
	}
	w.record = append(w.record, fmt.Sprintf("%s: asked %d times", what, len(answers)))
	return answers, nil
}

func (w *World) noneFailed(ctx context.Context) error {
	answers, err := w.finishSteady(ctx)
	if err != nil {
		return err
	}
	for i, a := range answers {
		if a.Kind != traffic.Allowed {
			return fmt.Errorf("answer %d of %d, at %s: %s", i+1, len(answers), a.done.UTC().Format("15:04:05.000"), a.Outcome)
		}
	}
	return nil
}

// quiet is how long nothing may be answered for "never again".
const quiet = 2 * time.Second

// lastAnswer measures from the moment at which the API server had accepted the
// last declaration. An answer counts as late as it could have been given.
func (w *World) lastAnswer(ctx context.Context, within string) error {
	bound, err := time.ParseDuration(within)
	if err != nil {
		return err
	}
	if w.declaredAt.IsZero() {
		return errors.New("nothing was declared that could be timed")
	}
	restFor(ctx, time.Until(w.declaredAt.Add(bound+quiet)))
	since := w.declaredAt
	answers, err := w.finishSteady(ctx)
	if err != nil {
		return err
	}
	last, before, refused := time.Duration(0), 0, 0
	for _, a := range answers {
		switch {
		case turnedAway(a.Outcome):
			refused++
		case !gotIn(a.Outcome):
		case a.done.Before(since):
			before++
		default:
			last = max(last, a.done.Sub(since))
		}
	}
	if before > 0 && refused == 0 && last > bound {
		return fmt.Errorf("it was never refused, and still answered %s after it had been withdrawn", last.Round(time.Millisecond))
	}
	if before == 0 || refused == 0 {
		return inconclusive(fmt.Errorf("%d answers before it, %d refusals: nothing was withdrawn", before, refused))
	}
	figure := reports.Revocation("the exposure or grant is withdrawn", reports.NewConnection,
		millis(bound), []float64{millis(last)})
	figure.AcknowledgedMillis = []float64{millis(w.declaredIn)}
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}

// firstAnswer is the other direction: refused before, answered soon after, and
// refused no more.
func (w *World) firstAnswer(ctx context.Context, within string) error {
	bound, err := time.ParseDuration(within)
	if err != nil {
		return err
	}
	restFor(ctx, time.Until(w.declaredAt.Add(bound)))
	since := w.declaredAt
	answers, err := w.finishSteady(ctx)
	if err != nil {
		return err
	}
	refused, last := 0, time.Duration(0)
	for _, a := range answers {
		switch {
		case a.Kind == traffic.Allowed && a.done.Before(since.Add(-declaring)):
			return fmt.Errorf("it was answered %s before it was declared: %s", since.Sub(a.done), a.Outcome)
		case a.Kind != traffic.Allowed:
			refused++
			last = max(last, a.sent.Sub(since))
		}
	}
	if refused == 0 {
		return errors.New("it was never refused")
	}
	if last > bound {
		return fmt.Errorf("it was still refused %s after it was declared, want at most %s; the last answer: %s", last, bound, answers[len(answers)-1].Outcome)
	}
	return nil
}

// declaring is how long an engine may take to hand over what is declared: the
// gateways may hear of the first objects before it returns.
const declaring = 5 * time.Second
