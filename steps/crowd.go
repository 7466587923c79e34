package steps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
)

// Crowd is many connections that are held open.
type Crowd interface {
	// Open is how many the other side has not closed.
	Open() int
	Close()
}

// crowd is one, and what the gateway held before it came.
type crowd struct {
	Crowd
	mesh   string
	size   int
	before int64
}

func (w *World) crowdSteps(sc *godog.ScenarioContext) {
	sc.Step(`^(\d+) connections to (c\d) with (.+?) that (say nothing|ask for nothing|send a head byte by byte)$`, w.gather)
	sc.Then(`^the private ingress gateway of (c\d) holds at most (\d+) kB more for each of these connections$`, w.frugal)
	sc.Then(`^within (\d+m?s) it has closed these connections$`, w.shownOut)
}

func (w *World) gather(ctx context.Context, n int, mesh, words, habit string) error {
	caller, err := parseCaller(words)
	if err != nil {
		return err
	}
	one := &crowd{mesh: mesh, size: n}
	if one.before, err = w.Meshes.Memory(ctx, mesh, IngressGateway); err != nil {
		return inconclusive(err)
	}
	if one.Crowd, err = w.Meshes.Gather(ctx, mesh, caller, n, traffic.Habit(habit)); err != nil {
		return inconclusive(err)
	}
	w.crowds = append(w.crowds, one)
	w.record = append(w.record, fmt.Sprintf("%d connections to %s with %s that %s", n, mesh, words, habit))
	return nil
}

func (w *World) lastCrowd() (*crowd, error) {
	if len(w.crowds) == 0 {
		return nil, errors.New("there are no such connections: begin with them")
	}
	return w.crowds[len(w.crowds)-1], nil
}

// frugal compares what the gateway's allocator has given out. Everything that
// came since the crowd did is laid at its door.
func (w *World) frugal(ctx context.Context, mesh string, kilobytes int64) error {
	one, err := w.lastCrowd()
	if err != nil {
		return err
	}
	now, err := w.Meshes.Memory(ctx, mesh, IngressGateway)
	if err != nil {
		return inconclusive(err)
	}
	open := one.Open()
	each := (now - one.before) / int64(one.size) / 1000
	w.record = append(w.record, fmt.Sprintf("the gateway holds %d kB, %d kB more than before, %d kB for each of %d connections, of which %d are open", now/1000, (now-one.before)/1000, each, one.size, open))
	if each > kilobytes {
		return fmt.Errorf("it holds %d kB more for each of %d connections (%d kB before, %d kB now), want at most %d", each, one.size, one.before/1000, now/1000, kilobytes)
	}
	return nil
}

func (w *World) shownOut(ctx context.Context, within string) error {
	patience, err := time.ParseDuration(within)
	if err != nil {
		return err
	}
	one, err := w.lastCrowd()
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	for one.Open() > 0 {
		if bounded.Err() != nil {
			return fmt.Errorf("%d of %d connections are still open: %w, within %s", one.Open(), one.size, context.Cause(bounded), patience)
		}
		rest(bounded)
	}
	return nil
}

// disperse ends what is left of all crowds.
func (w *World) disperse() {
	for _, one := range w.crowds {
		one.Close()
	}
	w.crowds = nil
}
