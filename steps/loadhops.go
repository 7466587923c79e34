package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/latency"
)

func (w *World) loadHopSteps(sc *godog.ScenarioContext) {
	sc.Then(`^what each proxy on the way of "([^"]+)" takes is told$`, w.hopsTold)
	sc.Then(`^the (ingress gateway of c\d|egress gateway of c\d) itself takes between ([\d.]+) and ([\d.]+) ms longer for "([^"]+)" than for "([^"]+)" at p([\d.]+)$`, w.hopPlanted)
}

// hops are all proxies in whose logs the requests of a name are.
func (w *World) hops(ctx context.Context, name string) (loaded, []Hop, error) {
	one, err := w.loadOf(name)
	if err != nil {
		return one, nil, err
	}
	var all []Hop
	for _, c := range w.Lab.Clusters() {
		some, err := w.Meshes.Hops(ctx, c.Name(), one.nonce, one.since)
		if err != nil {
			return one, nil, inconclusive(fmt.Errorf("access logs of %s: %w", c.Name(), err))
		}
		all = append(all, some...)
	}
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

// hopPlanted finds a planted difference in one proxy's own share.
func (w *World) hopPlanted(ctx context.Context, proxy, least, most, what, base, percentile string) error {
	p, err := quantile(percentile)
	if err != nil {
		return err
	}
	limits, err := between(least, most)
	if err != nil {
		return err
	}
	var both [2]latency.Distribution
	for i, name := range []string{what, base} {
		_, all, err := w.hops(ctx, name)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(h Hop) bool { return h.Proxy == proxy })
		if at < 0 {
			return inconclusive(fmt.Errorf("the log of the %s has no request of %q", proxy, name))
		}
		both[i] = all[at].own()
	}
	return w.compared(shifted{what + " in the " + proxy, base, both[0], both[1], p}, limits)
}
