package steps

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/steps/internal/pairing"
	"github.com/meshfed/meshfed/traffic"
)

func (w *World) edgeSteps(sc *godog.ScenarioContext) {
	const at = `at (c\d), "([A-Z]+) ([^"]*)" with (.+)`
	sc.Step(`^`+at+` is answered by (\w+) (v\d) of (c\d)$`, w.edgeAnswered)
	sc.Then(`^`+at+` is refused: (.+)$`, w.edgeRefused)
	sc.Step(`^within (\d+m?s) `+at+` is not answered any more$`, w.edgeGone)
}

func (w *World) atEdge(mesh, method, path, words string) (question, error) {
	caller, err := parseCaller(words)
	if err != nil {
		return question{}, err
	}
	return question{
		what: fmt.Sprintf("%s %s at %s with %s", method, path, mesh, words),
		send: func(ctx context.Context, nonce string) (traffic.Outcome, error) {
			return w.Meshes.Edge(ctx, mesh, caller, Request{Method: method, URL: path, Nonce: nonce})
		},
	}, nil
}

func (w *World) edgeAnswered(ctx context.Context, mesh, method, path, caller, service, version, from string) error {
	q, err := w.atEdge(mesh, method, path, caller)
	if err != nil {
		return err
	}
	return w.answered(ctx, q, traffic.Backend{Service: service, Version: version, Cluster: from})
}

func (w *World) edgeRefused(ctx context.Context, mesh, method, path, caller, words string) error {
	q, err := w.atEdge(mesh, method, path, caller)
	if err != nil {
		return err
	}
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	return w.refused(ctx, q, words, r.fits)
}

// stillGone is how often it is asked once it is gone.
const stillGone = 5

// edgeGone waits for some refusals on end: a gateway has several workers, and
// perhaps several replicas, of which one hears of it some milliseconds after the
// other. What is answered after that has come back.
func (w *World) edgeGone(ctx context.Context, within, mesh, method, path, caller string) error {
	patience, err := time.ParseDuration(within)
	if err != nil {
		return err
	}
	q, err := w.atEdge(mesh, method, path, caller)
	if err != nil {
		return err
	}
	// The bound is for the first refusal: how long the others take is the machine's.
	began, row, refused, after := time.Now(), inARow(turnedAway), false, time.Duration(0)
	fits := func(o traffic.Outcome) bool {
		if now := turnedAway(o); now != refused {
			refused, after = now, time.Since(began)
		}
		return row(o)
	}
	one, err := w.until(ctx, q, patience+settling, fmt.Sprintf("%d times in a row no answer any more", steadily), fits)
	switch {
	case err != nil:
		return err
	case after > patience:
		return fmt.Errorf("%s: no answer any more after %s, at most %s is allowed: %s", q.what, after, patience, one)
	}
	for range stillGone {
		one, err := w.ask(ctx, q, newNonce())
		if err != nil {
			return err
		}
		switch {
		case gotIn(one.Outcome):
			return fmt.Errorf("it was gone and came back: %s", one)
		case !turnedAway(one.Outcome):
			return inconclusive(fmt.Errorf("no answer in time: %s", one))
		}
	}
	return nil
}

// NothingExposed waits until the gateway of a mesh accepts nobody, by its own
// name and by those of the entrances that an owner may have made for a peer: a
// gateway that still answers one of these has resets for all other names.
func (w *World) NothingExposed(ctx context.Context, mesh string) error {
	callers := []string{mesh + "'s certificate"}
	for _, peer := range seedMeshes() {
		if peer != mesh {
			callers = append(callers, fmt.Sprintf("%s's certificate and SNI %q", mesh, pairing.EntranceHost(mesh, peer)))
		}
	}
	for _, caller := range callers {
		q, err := w.atEdge(mesh, http.MethodGet, "/", caller)
		if err != nil {
			return err
		}
		closed := func(a traffic.Outcome) bool { return a.Kind == traffic.Reset || a.Kind == traffic.Unreachable }
		if _, err := w.until(ctx, q, settling, "no connection, since nothing is exposed", closed); err != nil {
			return err
		}
	}
	return nil
}
