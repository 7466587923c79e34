package suite

import (
	"context"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
)

// Bench is the place where scenarios are played.
type Bench interface {
	// Facts are what the report says about the place.
	Facts() Facts
	// Begin prepares one scenario. An error says that the bench is not in
	// the state every scenario starts from.
	Begin(ctx context.Context, scenarioID string) (Session, error)
	// Healthy says whether the environment works at all. It is asked after
	// a failure: an error makes the failure inconclusive and ends the run.
	Healthy(ctx context.Context) error
}

// Facts about a Bench.
type Facts struct {
	Provider string
	Topology reports.Topology
	// Versions found, by component.
	Versions map[string]string
}

// Session is one scenario's use of the bench.
type Session interface {
	// Steps registers the step definitions of this scenario.
	Steps(*godog.ScenarioContext)
	// Figures are what the scenario has measured. It is called when the last
	// step is over.
	Figures() reports.Figures
	// Requests are all that the scenario asked and what came of it, a line
	// each; empty if it asked nothing.
	Requests() string
	// Evidence writes what explains a failure below dir (which it creates)
	// and returns the paths relative to dir. It is called before Close,
	// while the failed state still stands.
	Evidence(ctx context.Context, dir string) ([]string, error)
	// Close undoes what the scenario did and reports what it could not
	// undo. It is called exactly once, whatever happened.
	Close(ctx context.Context) error
}
