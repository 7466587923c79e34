package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/cucumber/godog"
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
	return w.urlUnreachable(ctx, from, url)
}

// urlUnreachable holds if the request ended on this side: not one byte of an
// answer came from over there, not even a refusal.
func (w *World) urlUnreachable(ctx context.Context, from, url string) error {
	ended := []Kind{Cut, TimedOut, Unreachable, Unavailable}
	q := w.inside(from, Request{Method: http.MethodGet, URL: url})
	return w.refused(ctx, q, fmt.Sprintf("one of %v", ended), func(a Answer) bool { return slices.Contains(ended, a.Kind) })
}
