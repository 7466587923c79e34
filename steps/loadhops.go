package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cucumber/godog"
	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
)

func (w *World) loadHopSteps(sc *godog.ScenarioContext) {
	sc.Then(`^what each proxy on the way of "([^"]+)" takes is told$`, w.hopsTold)
}

// hops are all proxies in whose logs the requests of a name are.
func (w *World) hops(ctx context.Context, name string) (loaded, []Hop, error) {
	one, err := w.loadOf(name)
	if err != nil {
		return one, nil, err
	}
	clusters := w.Lab.Clusters()
	some := make([][]Hop, len(clusters))
	var reading errgroup.Group
	for i, c := range clusters {
		reading.Go(func() (err error) {
			if some[i], err = w.Meshes.Hops(ctx, c.Name(), one.nonce, one.since); err != nil {
				err = fmt.Errorf("access logs of %s: %w", c.Name(), err)
			}
			return err
		})
	}
	if err := reading.Wait(); err != nil {
		return one, nil, inconclusive(err)
	}
	all := slices.Concat(some...)
	if len(all) == 0 {
		return one, nil, inconclusive(fmt.Errorf("no access log has a request of %q", name))
	}
	slices.SortStableFunc(all, func(a, b Hop) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Proxy, b.Proxy)) })
	return one, all, nil
}

// own is the distribution of what a proxy itself took.
func (h Hop) own() latency.Distribution {
	var all []reports.LatencyBucket
	for _, d := range h.Own {
		all = append(all, reports.LatencyBucket{Millis: float64(d) / float64(time.Millisecond), Count: 1})
	}
	return latency.New(all)
}

func (w *World) hopsTold(ctx context.Context, name string) error {
	one, all, err := w.hops(ctx, name)
	if err != nil {
		return err
	}
	figure := reports.HopFigure{What: name, RatePerSecond: float64(one.rate), Requests: one.latency.Count()}
	for _, h := range all {
		figure.Hops = append(figure.Hops, reports.Hop{
			Proxy: h.Proxy, Count: int64(len(h.Own)), ResolutionMillis: float64(h.Resolution) / float64(time.Millisecond),
			Quantiles: curve(h.own()),
		})
	}
	w.record = append(w.record, reports.Figures{Hops: []reports.HopFigure{figure}}.Lines()...)
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return nil
}
