package steps

import (
	"context"
	"fmt"

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

// endsAt is what one mesh tells of a request that is not sent.
func (w *World) endsAt(ctx context.Context, mesh string, a Ask, layer, because string) error {
	return w.diagnosed(ctx, fmt.Sprintf("explained in %s: %+v", mesh, a), layer, because, func(ctx context.Context) (Diagnosis, error) {
		return w.Explain(ctx, mesh, w.declared[mesh], a)
	})
}
