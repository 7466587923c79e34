package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cucumber/godog"
	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench/internal/evidence"
)

// Session is one scenario's use of a Bench.
type Session struct {
	bench *Bench
	id    string
	world *steps.World
	since time.Time
}

var _ suite.Session = (*Session)(nil)

// NewSession is the session of the scenario id; Start begins it.
func (b *Bench) NewSession(id string) *Session {
	return &Session{bench: b, id: id, world: steps.NewWorld(b.environment), since: time.Now()}
}

// cleanLimit bounds how long the gateways may take to forget the scenario
// before.
const cleanLimit = 10 * time.Second

// Start holds if nothing is federated: neither objects nor, in fact, traffic.
// What an earlier scenario has left would satisfy the claims of this one.
func (s *Session) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cleanLimit)
	defer cancel()
	if err := s.asBefore(ctx); err != nil {
		return err
	}
	for _, c := range s.bench.lab.Clusters() {
		if err := s.world.NothingExposed(ctx, c.Name()); err != nil {
			return err
		}
	}
	return nil
}

// asBefore holds if every mesh has the objects that it had before the first
// scenario. It takes the word of a session that has just ended and looked.
func (s *Session) asBefore(ctx context.Context) error {
	if s.bench.clean.Swap(false) {
		return nil
	}
	left, err := s.left(ctx)
	if err != nil {
		return err
	}
	for _, c := range s.bench.lab.Clusters() {
		if found := left[c.Name()]; len(found) > 0 {
			return fmt.Errorf("%s is not as it was before the first scenario: %s", c.Name(), strings.Join(found, "; "))
		}
	}
	return nil
}

// Steps implements suite.Session.
func (s *Session) Steps(sc *godog.ScenarioContext) { s.world.Register(sc) }

// Figures implements suite.Session.
func (s *Session) Figures() reports.Figures { return s.world.Figures() }

// Requests implements suite.Session.
func (s *Session) Requests() string { return s.world.Record() }

// Evidence implements suite.Session.
func (s *Session) Evidence(ctx context.Context, dir string) ([]string, error) {
	files, err := collector(s.bench.lab, s.since, installed(s.bench.environment.Engine)).Collect(ctx, dir)
	own := map[string]string{}
	for mesh, declarations := range s.world.Declared() {
		own[mesh+"-declarations.yaml"] = declarations
	}
	errs := []error{err}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if err := evidence.Write(filepath.Join(dir, name), []byte(own[name])); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		files = append(files, name)
	}
	return files, errors.Join(errs...)
}

// Close implements suite.Session: it cancels what the scenario applied and
// verifies, without asking the engine, that nothing of it is left.
func (s *Session) Close(ctx context.Context) error {
	errs := []error{s.world.CancelAll(ctx)}
	left, err := s.left(ctx)
	errs = append(errs, err)
	for _, c := range s.bench.lab.Clusters() {
		if found := left[c.Name()]; len(found) > 0 {
			errs = append(errs, fmt.Errorf("in %s: %s", c.Name(), strings.Join(found, "; ")), s.sweep(ctx, c))
		}
	}
	err = errors.Join(errs...)
	s.bench.clean.Store(err == nil)
	return err
}

// left are the leftovers of all meshes, by name.
func (s *Session) left(ctx context.Context) (map[string][]string, error) {
	var mu sync.Mutex
	found := map[string][]string{}
	all, ctx := errgroup.WithContext(ctx)
	for _, c := range s.bench.lab.Clusters() {
		all.Go(func() error {
			one, err := s.bench.Leftovers(ctx, c.Name())
			mu.Lock()
			defer mu.Unlock()
			found[c.Name()] = one
			return err
		})
	}
	return found, all.Wait()
}

// sweep has the engine put the mesh right once more, so that one failed
// clean-up is one failed scenario and not the end of all that follow.
func (s *Session) sweep(ctx context.Context, c cluster.Cluster) error {
	if err := s.world.ApplyNothing(ctx, c.Name()); err != nil {
		return fmt.Errorf("sweep %s: %w", c.Name(), err)
	}
	return nil
}
