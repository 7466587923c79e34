package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"

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
	for _, c := range s.bench.lab.Clusters() {
		left, err := s.bench.Leftovers(ctx, c.Name())
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return fmt.Errorf("%s is not as it was before the first scenario: %s", c.Name(), strings.Join(left, "; "))
		}
		if err := s.world.NothingExposed(ctx, c.Name()); err != nil {
			return err
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
	collector := evidence.Collector{Clusters: s.bench.lab.Clusters(), Since: s.since}
	files, err := collector.Collect(ctx, dir)
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
	for _, c := range s.bench.lab.Clusters() {
		left, err := s.bench.Leftovers(ctx, c.Name())
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("in %s: %s", c.Name(), strings.Join(left, "; "))
			err = errors.Join(err, s.sweep(ctx, c))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sweep has the engine put the mesh right once more, so that one failed
// clean-up is one failed scenario and not the end of all that follow.
func (s *Session) sweep(ctx context.Context, c cluster.Cluster) error {
	if err := s.world.ApplyNothing(ctx, c.Name()); err != nil {
		return fmt.Errorf("sweep %s: %w", c.Name(), err)
	}
	return nil
}
