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

// Both tests call a right split wrong at most once in 10,000 times, and one that is
// off by the shift right at most once in 100. A page costs ten times a request, so its
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

// shared waits until both sides take part, then sends requests until their number
// tells whether the plan holds. Each must be answered by one of the two.
func (w *World) shared(ctx context.Context, mesh string, r Request, plan split.Plan, sides [2]side) error {
	looks, err := plan.Looks()
	if err != nil {
		return err
	}
	for _, s := range sides {
		if _, err := w.until(ctx, w.inside(mesh, r), settling, "an answer of "+s.words, s.fits); err != nil {
			return err
		}
	}
	count, n := 0, 0
	for _, look := range looks {
		more, err := w.firstOfTwo(ctx, mesh, r, look-n, sides)
		if err != nil {
			return err
		}
		count, n = count+more, look
		if plan.Judge(count, n) != split.Undecided {
			break
		}
	}
	figure := splitFigure(fmt.Sprintf("%s in %s", r, mesh), plan, count, n, sides)
	w.record = append(w.record, fmt.Sprintf("%s: %d of %d by %s", figure.What, count, n, sides[0].words))
	if err := w.Attach(figure); err != nil {
		return inconclusive(err)
	}
	return figure.Holds()
}

// firstOfTwo sends so many requests, and counts those that the first side answered.
func (w *World) firstOfTwo(ctx context.Context, mesh string, r Request, times int, sides [2]side) (count int, err error) {
	_, answers, err := w.many(ctx, mesh, r, times)
	if err != nil {
		return 0, inconclusive(err)
	}
	for _, a := range answers {
		switch {
		case sides[0].fits(a):
			count++
		case !sides[1].fits(a):
			return 0, fmt.Errorf("one of %d was answered neither by %s nor by %s: %s", times, sides[0].words, sides[1].words, a)
		}
	}
	return count, nil
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
