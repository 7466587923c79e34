package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports/latency"
)

func (w *World) loadPlantedSteps(sc *godog.ScenarioContext) {
	sc.Then(`^"([^"]+)" takes (\d+) ms longer than "([^"]+)" at p([\d.]+), as the timers of the ingress gateway of (c\d) go$`, w.loadPlanted)
	sc.Then(`^the ingress gateway of (c\d) itself takes (\d+) ms longer for "([^"]+)" than for "([^"]+)" at p([\d.]+), as its timers go$`, w.hopPlanted)
}

// Timers are by which clock an Envoy wakes up.
type Timers string

const (
	// ExactTimers follow the monotonic clock.
	ExactTimers Timers = "exact"
	// CoarseTimers follow the kernel's tick: what they wait for takes up to
	// one longer than it should.
	CoarseTimers Timers = "coarse"
)

const (
	// plantedWithin is how near to what was planted it has to be found.
	plantedWithin = 0.5
	// tickMillis is the longest tick that Linux is built with but for old
	// machines (CONFIG_HZ=250).
	tickMillis = 4
)

// planted are the bounds of a difference that somebody has made by a timer.
func (t Timers) planted(millis int) (func(float64) (floor, bound float64), error) {
	m := float64(millis)
	switch t {
	case ExactTimers:
		return func(float64) (floor, bound float64) { return m - plantedWithin, m + plantedWithin }, nil
	case CoarseTimers:
		return func(float64) (floor, bound float64) { return m, m + tickMillis }, nil
	}
	return nil, fmt.Errorf("timers %q are of no kind that is known", t)
}

// plantedAt are the bounds of what was planted in a mesh's ingress gateway.
func (w *World) plantedAt(ctx context.Context, mesh string, millis int) (func(float64) (floor, bound float64), error) {
	timers, err := w.Meshes.IngressTimers(ctx, mesh)
	if err != nil {
		return nil, inconclusive(err)
	}
	w.record = append(w.record, fmt.Sprintf("load: the timers of the ingress gateway of %s are %s", mesh, timers))
	return timers.planted(millis)
}

// loadPlanted finds a difference end to end.
func (w *World) loadPlanted(ctx context.Context, what string, millis int, base, percentile, mesh string) error {
	limits, err := w.plantedAt(ctx, mesh, millis)
	if err != nil {
		return err
	}
	return w.shift(what, base, percentile, limits)
}

// hopPlanted finds it in the gateway's own share.
func (w *World) hopPlanted(ctx context.Context, mesh string, millis int, what, base, percentile string) error {
	p, err := quantile(percentile)
	if err != nil {
		return err
	}
	limits, err := w.plantedAt(ctx, mesh, millis)
	if err != nil {
		return err
	}
	proxy := "ingress gateway of " + mesh
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
