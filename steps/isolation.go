package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
)

func (w *World) isolationSteps(sc *godog.ScenarioContext) {
	sc.Then(`^from (c\d), (an? [\w ]+|the [\w ]+) of (c\d) cannot be reached$`, w.targetUnreachable)
	sc.Then(`^from (c\d), "([^"]+)" cannot be reached$`, w.urlUnreachable)
}

func (w *World) targetUnreachable(ctx context.Context, from, target, of string) error {
	url, err := w.Meshes.Locate(ctx, of, Target(target))
	if err != nil {
		return inconclusive(err)
	}
	if err := w.there(ctx, of, Target(target), url); err != nil {
		return err
	}
	return w.urlUnreachable(ctx, from, url)
}

// there holds if its own mesh can reach the target: where nothing is, nothing
// can be reached. A pod's bare address is the exception: under STRICT mutual
// TLS a call to it is refused within the mesh, too.
func (w *World) there(ctx context.Context, mesh string, target Target, url string) error {
	if target == ReviewsPod {
		return nil
	}
	one, err := w.ask(ctx, w.inside(mesh, Request{Method: http.MethodGet, URL: url}), newNonce())
	if err == nil && slices.Contains(onThisSide(), one.Kind) {
		err = inconclusive(fmt.Errorf("%s cannot even reach it itself: %s", mesh, one))
	}
	return err
}

// onThisSide are the ends of a request of which the other side knows nothing:
// not one byte came from there, not even a refusal.
func onThisSide() []traffic.Kind {
	return []traffic.Kind{traffic.Reset, traffic.TimedOut, traffic.Unreachable, traffic.UpstreamFailed}
}

// urlUnreachable holds if the request ended on this side.
func (w *World) urlUnreachable(ctx context.Context, from, url string) error {
	ended := onThisSide()
	q := w.inside(from, Request{Method: http.MethodGet, URL: url})
	return w.refused(ctx, q, fmt.Sprintf("one of %v", ended), func(a traffic.Outcome) bool { return slices.Contains(ended, a.Kind) })
}
