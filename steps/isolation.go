package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

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
	if err := w.there(ctx, of, url); err != nil {
		return err
	}
	return w.urlUnreachable(ctx, from, url)
}

// there holds if its own mesh can reach the target: where nothing is, nothing
// can be reached. A pod that is called by its bare address ends the connection
// under STRICT mutual TLS, which is an answer, too.
func (w *World) there(ctx context.Context, mesh, url string) error {
	one, err := w.ask(ctx, w.inside(mesh, Request{Method: http.MethodGet, URL: url}), newNonce())
	if err == nil && endedHere(one.Outcome) {
		err = inconclusive(fmt.Errorf("%s cannot even reach it itself: %s", mesh, one))
	}
	return err
}

// onThisSide are the ends of a request of which the other side knows nothing:
// not one byte came from there, not even a refusal.
func onThisSide() []traffic.Kind {
	return []traffic.Kind{traffic.Reset, traffic.TimedOut, traffic.Unreachable, traffic.UpstreamFailed}
}

// endedHere says whether a request ended on this side. A proxy here answers for an
// upstream that it never reached, and also for one that ended the connection. That
// one was there: with no wall between the meshes, a sidecar that wants mutual TLS
// does just this.
func endedHere(o traffic.Outcome) bool {
	if o.Kind == traffic.UpstreamFailed {
		return strings.Contains(o.Reason, "connection failure") || strings.Contains(o.Reason, "connection timeout") || blackHole(o)
	}
	return slices.Contains(onThisSide(), o.Kind)
}

// blackHole says whether this is how a sidecar answers for a host that it does not
// know, where nothing else may leave the mesh (Istio's outboundTrafficPolicy
// REGISTRY_ONLY): 502 without a word.
func blackHole(o traffic.Outcome) bool {
	return o.Status == http.StatusBadGateway && o.Reason == http.StatusText(http.StatusBadGateway)
}

// urlUnreachable holds if the request ended on this side.
func (w *World) urlUnreachable(ctx context.Context, from, url string) error {
	q := w.inside(from, Request{Method: http.MethodGet, URL: url})
	return w.refused(ctx, q, "an end on this side, without a connection", endedHere)
}
