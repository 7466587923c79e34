package steps

import (
	"context"
	"fmt"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
)

func (w *World) workloadSteps(sc *godog.ScenarioContext) {
	sc.Step(`^in (c\d), "([A-Z]+) ([^"]+)" is answered by (\w+)(?: (v\d))? of (c\d)$`, w.workloadAnswered)
	sc.Then(`^in (c\d), "([A-Z]+) ([^"]+)" is answered by (\w+)(?: (v\d))? of (c\d), all of (\d+) times$`, w.workloadAnsweredAll)
	sc.Step(`^in (c\d), "([A-Z]+) ([^"]+)" takes at least (\d+) ms from now on$`, w.workloadTakes)
	sc.Then(`^soon, in (c\d), "([A-Z]+) ([^"]+)" is answered by (\w+) of (c\d) every time$`, w.workloadAnsweredSteadily)
	sc.Then(`^between (\d+) and (\d+) of (\d+) times "([A-Z]+) ([^"]+)" in (c\d) is answered by (\w+ v\d of c\d)$`, w.share)
	sc.Then(`^it arrived there as "([A-Z]+) ([^"]+)" for "([^"]+)"$`, w.arrivedAs)
	sc.Then(`^it was sent to the gateway of (c\d) once$`, func(ctx context.Context, mesh string) error { return w.tried(ctx, mesh, 1) })
	sc.Then(`^it was never sent to the gateway of (c\d)$`, func(ctx context.Context, mesh string) error { return w.tried(ctx, mesh, 0) })
	sc.Then(`^"([A-Z]+) ([^"]+)" in (c\d) has the headers of "([A-Z]+) ([^"]+)" in (c\d), there and back, but for what gateways say of the way:$`, w.sameHeaders)
	sc.Then(`^(\d+) of (\d+) more are answered by (\w+) (v\d) of (c\d)$`, w.more)
}

func (w *World) inside(mesh string, r Request) question {
	return question{
		what: fmt.Sprintf("%s in %s", r, mesh),
		send: func(ctx context.Context, nonce string) (traffic.Outcome, error) {
			one := r
			one.Nonce = nonce
			answers, err := w.Meshes.Inside(ctx, mesh, one, 1)
			if err != nil {
				return traffic.Outcome{}, err
			}
			return answers[0], nil
		},
	}
}

func (w *World) workloadAnswered(ctx context.Context, mesh, method, url, service, version, from string) error {
	return w.answered(ctx, w.inside(mesh, Request{Method: method, URL: url}), traffic.Backend{Service: service, Version: version, Cluster: from})
}

// workloadAnsweredAll is about all requests, see pageShowsAll.
func (w *World) workloadAnsweredAll(ctx context.Context, mesh, method, url, service, version, from string, times int) error {
	if err := w.workloadAnswered(ctx, mesh, method, url, service, version, from); err != nil {
		return err
	}
	want := traffic.Backend{Service: service, Version: version, Cluster: from}
	one, err := w.untilAll(ctx, mesh, Request{Method: method, URL: url}, times, "an answer of "+want.String(), by(want))
	if err != nil || from != mesh {
		return err
	}
	return w.stayed(ctx, mesh, one.nonce)
}

// workloadAnsweredSteadily waits until no answer differs any more: a service has
// several pods, and a change reaches one after the other.
func (w *World) workloadAnsweredSteadily(ctx context.Context, mesh, method, url, service, from string) error {
	want := traffic.Backend{Service: service, Cluster: from}
	_, err := w.until(ctx, w.inside(mesh, Request{Method: method, URL: url}), settling,
		fmt.Sprintf("%d answers in a row of %s", steadily, want), inARow(by(want)))
	return err
}

// inARow holds once that many outcomes on end fit.
func inARow(fits func(traffic.Outcome) bool) func(traffic.Outcome) bool {
	n := 0
	return func(o traffic.Outcome) bool {
		if n++; !fits(o) {
			n = 0
		}
		return n == steadily
	}
}

// steadily is how many answers in a row show that something is in force.
const steadily = 5

// workloadTakes waits until a change that slows a request down is in force.
func (w *World) workloadTakes(ctx context.Context, mesh, method, url string, millis int) error {
	_, err := w.until(ctx, w.inside(mesh, Request{Method: method, URL: url}), settling, fmt.Sprintf("%d answers in a row after %d ms or later", steadily, millis),
		inARow(func(o traffic.Outcome) bool {
			return o.Kind == traffic.Allowed && o.Latency >= time.Duration(millis)*time.Millisecond
		}))
	return err
}

// share counts how many of many are answered by one workload, once both sides
// have been seen to take part. Every one of them must be answered by somebody.
func (w *World) share(ctx context.Context, low, high, times int, method, url, mesh, words string) error {
	r := Request{Method: method, URL: url}
	wanted, err := parseWorkload(words)
	if err != nil {
		return err
	}
	fits := by(wanted)
	if _, err := w.until(ctx, w.inside(mesh, r), settling, "an answer of "+words, fits); err != nil {
		return err
	}
	_, answers, err := w.many(ctx, mesh, r, times)
	if err != nil {
		return inconclusive(err)
	}
	count := 0
	for _, a := range answers {
		if a.Kind != traffic.Allowed {
			return fmt.Errorf("one of %d was not answered: %s", times, a)
		}
		if fits(a) {
			count++
		}
	}
	w.record = append(w.record, fmt.Sprintf("%d of %d answered by %s", count, times, words))
	if count < low || count > high {
		return fmt.Errorf("%d of %d were answered by %s, want between %d and %d", count, times, words, low, high)
	}
	return nil
}

func parseWorkload(words string) (traffic.Backend, error) {
	var b traffic.Backend
	_, err := fmt.Sscanf(words, "%s %s of %s", &b.Service, &b.Version, &b.Cluster)
	if err != nil {
		return traffic.Backend{}, fmt.Errorf(`a workload %q: want "reviews v2 of c2"`, words)
	}
	return b, nil
}

// arrivedAs is about the request that was answered last: it arrived in that form,
// once, and nowhere but at the workload that answered. What that workload asked
// of others bears the same nonce, and is another request.
func (w *World) arrivedAs(ctx context.Context, method, path, host string) error {
	if w.seen == nil {
		return errNoControl
	}
	by, alike := w.seen.Backend, 0
	for _, c := range w.Lab.Clusters() {
		arrivals, err := w.Meshes.Arrivals(ctx, c.Name(), w.seen.nonce)
		if err != nil {
			return inconclusive(err)
		}
		for _, a := range arrivals {
			here := c.Name() == by.Cluster && a.Service == by.Service && a.Version == by.Version
			switch alikeHere := a.Method == method && a.Path == path && a.Host == host; {
			case here && !alikeHere:
				return fmt.Errorf("%s; want %s %s for %s", a, method, path, host)
			case here:
				alike++
			case a.Method == method && a.Path == path:
				return fmt.Errorf("it was answered by %s, and yet %s", by, a)
			}
		}
	}
	if alike != 1 {
		return fmt.Errorf("%s of %s has seen it %d times, want once: %s", by.Service, by.Cluster, alike, w.seen)
	}
	return nil
}

// more repeats the request that was answered last; each must be answered by
// that very workload.
func (w *World) more(ctx context.Context, wanted, times int, service, version, from string) error {
	if w.control == nil {
		return errNoControl
	}
	want := traffic.Backend{Service: service, Version: version, Cluster: from}
	count := 0
	var other asked
	for range times {
		one, err := w.ask(ctx, w.control.question, newNonce())
		if err != nil {
			return err
		}
		if by(want)(one.Outcome) {
			count++
		} else {
			other = one
		}
	}
	if count != wanted {
		return fmt.Errorf("%d of %d, want %d; one of the others: %s", count, times, wanted, other)
	}
	return nil
}
