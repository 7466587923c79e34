package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cucumber/godog"
)

// Ask is a request that is explained and not sent.
type Ask struct {
	Method, Path string
	// Peer sends it to the private ingress gateway; empty asks as a workload of the
	// mesh, by the name Host.
	Peer, Host string
}

// Explainer says where a request would end, by the one mesh that it looks into:
// its declarations, its objects, and what its gateways run and have seen. A layer of
// LayerNone is one that does not end there.
type Explainer func(ctx context.Context, mesh, declarations string, a Ask) (Diagnosis, error)

func (w *World) explainSteps(sc *godog.ScenarioContext) {
	sc.Then(`^by (c\d) alone, "([A-Z]+) (/[^"]*)" of (c\d) ends at "([^"]+)"(?:, because "([^"]+)")?$`,
		func(ctx context.Context, mesh, method, path, peer, layer, because string) error {
			return w.endsAt(ctx, mesh, Ask{Method: method, Path: path, Peer: peer}, layer, because)
		})
	sc.Then(`^by (c\d) alone, "([A-Z]+) http://([^:/"]+):\d+(/[^"]*)" ends at "([^"]+)"(?:, because "([^"]+)")?$`,
		func(ctx context.Context, mesh, method, host, path, layer, because string) error {
			return w.endsAt(ctx, mesh, Ask{Method: method, Path: path, Host: host}, layer, because)
		})
}

// endsAt asks until the explanation names that layer: what was planted takes a
// moment to be there.
func (w *World) endsAt(ctx context.Context, mesh string, a Ask, layer, because string) error {
	if !slices.Contains(Layers(), Layer(layer)) {
		return fmt.Errorf("a layer %q: want one of %q", layer, Layers())
	}
	ctx, cancel := context.WithTimeoutCause(ctx, diagnosing, errLate)
	defer cancel()
	var last Diagnosis
	for {
		d, err := w.Explain(ctx, mesh, w.declared[mesh], a)
		if err != nil && ctx.Err() == nil {
			return inconclusive(err)
		}
		if err == nil {
			w.record = append(w.record, fmt.Sprintf("explained in %s: %+v: %s", mesh, a, d))
			w.record = append(w.record, d.Way...)
			if last = d; d.Layer == Layer(layer) && strings.Contains(d.Story, because) {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("explained in %s: %+v: want the end at %q (%s); named last: %s (%w)", mesh, a, layer, because, last, context.Cause(ctx))
		}
		rest(ctx)
	}
}
