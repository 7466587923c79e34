package traffic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 200 * time.Millisecond
)

// ErrNotSeen is wrapped when a deadline passes before the outcome was seen.
var ErrNotSeen = errors.New("not seen in time")

// Wait says what to wait for.
type Wait struct {
	// What is wanted, in words for the error.
	What string
	// Fits says whether an outcome is it.
	Fits func(Outcome) bool
	// Consecutive is how many outcomes in a row must fit; 0 means one. A
	// gateway has several workers, and one of them may not have heard yet.
	Consecutive int
}

// Eventually probes until the wanted outcome was seen often enough in a row,
// and returns the last one. There is nothing to watch: only a request tells
// what a proxy does. It pauses 20 ms at first and, while nothing fits, up to
// 200 ms. When ctx ends, the error says what was seen last and in what order.
// An error of probe, while ctx lasts, ends the wait.
func Eventually(ctx context.Context, w Wait, probe func(context.Context) (Outcome, error)) (Outcome, error) {
	pauses := wait.Backoff{Duration: shortestPause, Factor: 1.5, Jitter: 0.1, Steps: 1 << 30, Cap: longestPause}
	var seen history
	for row := 0; ; {
		o, err := probe(ctx)
		switch {
		case ctx.Err() != nil:
			return seen.last, fmt.Errorf("%s: %w (%w): %s", w.What, ErrNotSeen, context.Cause(ctx), seen)
		case err != nil:
			return seen.last, fmt.Errorf("%s: probe: %w; before: %s", w.What, err, seen)
		}
		seen.add(o)
		pause := shortestPause
		if w.Fits(o) {
			if row++; row >= max(w.Consecutive, 1) {
				return o, nil
			}
		} else {
			row, pause = 0, pauses.Step()
		}
		Rest(ctx, pause)
	}
}

// Rest lets some time pass between two looks at what cannot be watched. It is
// false, at once, when ctx ends first.
func Rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// history keeps runs of equal outcomes: "12 × no route (HTTP 404), then 3 ×
// allowed …". Only the latest runs are kept.
type history struct {
	last    Outcome
	runs    []phase
	dropped int
}

type phase struct {
	text  string
	count int
}

const maxRuns = 8

func (h *history) add(o Outcome) {
	h.last = o
	// Pods and nonces differ from one request to the next; kinds matter.
	brief := o
	brief.Backend.Pod = ""
	text := brief.String()
	if n := len(h.runs); n > 0 && h.runs[n-1].text == text {
		h.runs[n-1].count++
		return
	}
	h.runs = append(h.runs, phase{text, 1})
	if len(h.runs) > maxRuns {
		h.runs = h.runs[1:]
		h.dropped++
	}
}

func (h history) String() string {
	if len(h.runs) == 0 {
		return "nothing was seen at all"
	}
	var parts []string
	if h.dropped > 0 {
		parts = append(parts, fmt.Sprintf("%d changes before", h.dropped))
	}
	for _, r := range h.runs {
		parts = append(parts, fmt.Sprintf("%d × %s", r.count, r.text))
	}
	return "seen " + strings.Join(parts, ", then ")
}
