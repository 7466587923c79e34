package mutants

import (
	"context"
	"sync"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
)

// Stage is the engine that a bench is made with; who plays on it changes. One
// bench then serves the sound engine and all mutants.
type Stage struct {
	mu      sync.Mutex
	current engine.Engine
}

var _ engine.Engine = (*Stage)(nil)

// NewStage begins with an engine, the sound one.
func NewStage(sound engine.Engine) *Stage { return &Stage{current: sound} }

// Enter puts another engine on the stage.
func (s *Stage) Enter(e engine.Engine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = e
}

func (s *Stage) on() engine.Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// Name implements engine.Engine.
func (s *Stage) Name() string { return s.on().Name() }

// Version implements engine.Engine.
func (s *Stage) Version() string { return s.on().Version() }

// Capabilities implements engine.Engine.
func (s *Stage) Capabilities() []engine.Capability { return s.on().Capabilities() }

// Apply implements engine.Engine.
func (s *Stage) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	return s.on().Apply(ctx, c, declarations)
}

// Cancel implements engine.Engine.
func (s *Stage) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	return s.on().Cancel(ctx, c, declarations)
}
