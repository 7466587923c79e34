package steps

import (
	"context"
	"fmt"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
)

func (w *World) accessSteps(sc *godog.ScenarioContext) {
	sc.Given(`^there are (\d) meshes$`, w.meshesAtLeast)
	sc.Step(`^in (c\d), "([A-Z]+) ([^"]+)" from (\w+) is answered by (\w+) (v\d) of (c\d)$`, w.answeredFrom)
	sc.Then(`^in (c\d), "([A-Z]+) ([^"]+)"(?: from (\w+))?(?: by (\w+))? is refused: (.+)$`, w.insideRefused)
	sc.Then(`^soon, in (c\d), "([A-Z]+) ([^"]+)"(?: from (\w+))?(?: by (\w+))? is refused: (.+)$`, w.insideRefusedSoon)
	sc.Then(`^with these certificates, methods and paths, (c\d) answers or refuses:$`, w.truthTable)
}

// meshesAtLeast skips a scenario for which the lab is too small.
func (w *World) meshesAtLeast(n int) error {
	if got := len(w.Lab.Clusters()); got < n {
		return fmt.Errorf("%w: it needs %d meshes and lab %s has %d: use a lab made with --clusters %d", godog.ErrSkip, n, w.Lab.Name(), got, n)
	}
	return nil
}

func (w *World) answeredFrom(ctx context.Context, mesh, method, url, from, service, version, of string) error {
	return w.answered(ctx, w.inside(mesh, Request{Method: method, URL: url, From: from}),
		traffic.Backend{Service: service, Version: version, Cluster: of})
}

func (w *World) insideRefused(ctx context.Context, mesh, method, url, from, user, words string) error {
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	return w.refused(ctx, w.inside(mesh, Request{Method: method, URL: url, From: from, User: user}), words, r.fits)
}

// insideRefusedSoon is for what the owner of a mesh changes: her sidecars have
// to hear of it first. Then it is asked once more, as every refusal is.
func (w *World) insideRefusedSoon(ctx context.Context, mesh, method, url, from, user, words string) error {
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	one := Request{Method: method, URL: url, From: from, User: user}
	if _, err := w.untilAll(ctx, mesh, one, everybodyAsked, words, r.fits); err != nil {
		return err
	}
	return w.refusedOnceSettled(ctx, w.inside(mesh, one), words, r.fits)
}

// everybodyAsked is how often a service is asked, each time on a connection of
// its own: one with two pods leaves one of them out once in half a million times.
// A policy in the mesh is each sidecar's own, and the first one to have it says
// nothing of the others.
const everybodyAsked = 20
