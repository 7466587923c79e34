package steps

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps/internal/page"
	"github.com/meshfed/meshfed/traffic"
)

// looks is how reviews on a product page can look.
const looks = `reviews (?:without stars|with \w+ stars|with an error for stars)`

// productPageURL is the page, as seen from within a mesh.
const productPageURL = "http://productpage:9080/productpage"

func (w *World) pageSteps(sc *godog.ScenarioContext) {
	sc.Step(`^the product page of (c\d) shows (\w+) (`+looks+` from (c\d))$`, w.pageShows)
	sc.Then(`^the product page of (c\d) shows (\w+) (`+looks+` from (c\d)), all of (\d+) times$`, w.pageShowsAll)
	sc.Then(`^the product page of (c\d) shows (\w+) that reviews are unavailable, and (c\d) has seen nothing of it$`, w.pageShowsNone)
}

// everybody is who is not signed in.
const everybody = "everybody"

// productPage asks for the page. Its answer is of productpage itself; whose
// reviews are on it is in the body.
func (w *World) productPage(mesh, user string) question { return w.inside(mesh, forThePage(user)) }

func forThePage(user string) Request {
	if user == everybody {
		user = ""
	}
	return Request{Method: http.MethodGet, URL: productPageURL, User: user}
}

func shows(want string) func(traffic.Outcome) bool {
	return func(a traffic.Outcome) bool {
		p, err := page.Read(a.Body)
		return a.Kind == traffic.Allowed && err == nil && p.String() == want
	}
}

// pageShows waits for the page to be so, and then proves by the nonce that the
// reviews came from where the page says, and from nowhere else.
func (w *World) pageShows(ctx context.Context, mesh, user, want, from string) error {
	one, err := w.until(ctx, w.productPage(mesh, user), settling, "a page with "+want, shows(want))
	if err != nil {
		return fmt.Errorf("%w; it shows %s", err, read(one))
	}
	return w.reviewsFrom(ctx, want, from, one.nonce)
}

// pageShowsAll is about all pages: one that is as it should be says nothing of a
// request in ten that goes elsewhere.
func (w *World) pageShowsAll(ctx context.Context, mesh, user, want, from string, times int) error {
	if err := w.pageShows(ctx, mesh, user, want, from); err != nil {
		return err
	}
	one, err := w.untilAll(ctx, mesh, forThePage(user), times, want, shows(want))
	switch {
	case err != nil && one.Kind == traffic.Allowed:
		return fmt.Errorf("%w; it shows %s", err, read(one))
	case err != nil:
		return err
	}
	errs := []error{w.reviewsFrom(ctx, want, from, one.nonce)}
	if from == mesh {
		errs = append(errs, w.stayed(ctx, mesh, one.nonce))
	}
	return reports.Weighed(errs...)
}

// reviewsFrom holds if reviews of that mesh, and of no other, have seen what bears
// the nonce.
func (w *World) reviewsFrom(ctx context.Context, want, from, nonce string) error {
	clusters := w.Lab.Clusters()
	errs := make([]error, len(clusters))
	var all sync.WaitGroup
	for i, c := range clusters {
		all.Go(func() {
			served, err := w.reviewsSaw(ctx, c.Name(), nonce)
			if err == nil && served != (c.Name() == from) {
				err = fmt.Errorf("the page shows %s, but that reviews of %s saw the request is %t (nonce %s)", want, c.Name(), served, nonce)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return reports.Weighed(errs...)
}

func read(a asked) string {
	p, err := page.Read(a.Body)
	if err != nil {
		return err.Error()
	}
	return p.String()
}

func (w *World) reviewsSaw(ctx context.Context, mesh, nonce string) (bool, error) {
	arrivals, err := w.Meshes.Arrivals(ctx, mesh, nonce)
	if err != nil {
		return false, inconclusive(err)
	}
	for _, a := range arrivals {
		if a.Service == "reviews" {
			return true, nil
		}
	}
	return false, nil
}

// pageShowsNone waits for the reviews to be unavailable, with one nonce for
// all tries: what the other mesh saw during the wait counts as well.
func (w *World) pageShowsNone(ctx context.Context, mesh, user, other string) error {
	nonce := newNonce()
	q := w.productPage(mesh, user)
	again := question{what: q.what, send: func(ctx context.Context, _ string) (traffic.Outcome, error) { return q.send(ctx, nonce) }}
	none := shows(page.Page{}.String())
	one, err := w.until(ctx, again, settling, "a page that says so", none)
	if err != nil {
		return fmt.Errorf("%w; it shows %s", err, read(one))
	}
	attempt, after, err := w.betweenControls(ctx, q, nonce)
	if err != nil {
		return err
	}
	if !none(attempt.Outcome) {
		return fmt.Errorf("the reviews were unavailable, and now the page shows %s: %s", read(attempt), attempt)
	}
	w.denied = &denied{attempt: attempt, after: after}
	if err := w.unseen(ctx, other, nonce); err != nil {
		return err
	}
	return w.counted(ctx, after)
}
