package steps

import (
	"context"
	"fmt"
	"net/http"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/split"
)

func (w *World) splitSteps(sc *godog.ScenarioContext) {
	sc.Then(`^in (c\d), "([A-Z]+) ([^"]+)" is shared (\d+):(\d+) between (\w+ v\d of c\d) and (\w+ v\d of c\d)$`, w.requestsShared)
	sc.Then(`^the product page of (c\d) is shared (\d+):(\d+) between (`+looks+` from c\d) and (`+looks+` from c\d)$`, w.pagesShared)
}

// Both tests call a right split wrong once in 10,000 times, and one that is off
// by the shift right once in 100. A page costs ten times a request, so its
// test is content with a shift that is twice as large.
const (
	splitAlpha   = 1e-4
	splitPower   = 0.99
	requestShift = 0.05
	pageShift    = 0.10
)

// side is one of the two that share traffic.
type side struct {
	words string
	fits  func(traffic.Outcome) bool
}

func (w *World) requestsShared(ctx context.Context, mesh, method, url string, first, second int, one, other string) error {
	sides := [2]side{}
	for i, words := range []string{one, other} {
		backend, err := parseWorkload(words)
		if err != nil {
			return err
		}
		sides[i] = side{words, by(backend)}
	}
	plan, err := planOf(first, second, requestShift)
	if err != nil {
		return err
	}
	return w.shared(ctx, mesh, Request{Method: method, URL: url}, plan, sides)
}

func (w *World) pagesShared(ctx context.Context, mesh string, first, second int, one, other string) error {
	plan, err := planOf(first, second, pageShift)
	if err != nil {
		return err
	}
	page := Request{Method: http.MethodGet, URL: productPageURL}
	return w.shared(ctx, mesh, page, plan, [2]side{{one, shows(one)}, {other, shows(other)}})
}

func planOf(first, second int, shift float64) (split.Plan, error) {
	if first+second != 100 {
		return split.Plan{}, fmt.Errorf("a split of %d:%d does not add up to 100", first, second)
	}
	return split.Plan{Share: float64(first) / 100, Shift: shift, Alpha: splitAlpha, Power: splitPower}, nil
}

// shared waits until both sides take part, then sends as many requests as the
// plan needs and judges how many went to the first side. Each must be answered
// by one of the two.
func (w *World) shared(ctx context.Context, mesh string, r Request, plan split.Plan, sides [2]side) error {
	n, err := plan.Size()
	if err != nil {
		return err
	}
	for _, s := range sides {
		if _, err := w.until(ctx, w.inside(mesh, r), settling, "an answer of "+s.words, s.fits); err != nil {
			return err
		}
	}
	_, answers, err := w.many(ctx, mesh, r, n)
	if err != nil {
		return inconclusive(err)
	}
	count := 0
	for _, a := range answers {
		switch {
		case sides[0].fits(a):
			count++
		case !sides[1].fits(a):
			return fmt.Errorf("one of %d was answered neither by %s nor by %s: %s", n, sides[0].words, sides[1].words, a)
		}
	}
	figure := splitFigure(fmt.Sprintf("%s in %s", r, mesh), plan, count, len(answers), sides)
	w.record = append(w.record, fmt.Sprintf("%s: %d of %d by %s", figure.What, count, len(answers), sides[0].words))
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}

func splitFigure(what string, plan split.Plan, count, n int, sides [2]side) reports.SplitFigure {
	low, high := split.Interval(count, n, plan.Alpha)
	return reports.SplitFigure{
		What: what, N: n, Confidence: 1 - plan.Alpha, DetectableShift: plan.Shift, Power: plan.Power,
		Shares: []reports.Share{
			{Backend: sides[0].words, Expected: plan.Share, Count: count, Low: low, High: high},
			{Backend: sides[1].words, Expected: 1 - plan.Share, Count: n - count, Low: 1 - high, High: 1 - low},
		},
	}
}
