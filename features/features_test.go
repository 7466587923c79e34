package features_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench"
)

// labVariable names the lab that the features run on.
const labVariable = "MESHFED_LAB"

// openLab opens the lab, or says in an error that wraps cluster.ErrNoLab how
// to get one.
func openLab(ctx context.Context) (cluster.Lab, error) {
	name := os.Getenv(labVariable)
	if name == "" {
		name = "default"
	}
	provider, err := embedded.New()
	if err != nil {
		return nil, err
	}
	lab, err := provider.Open(ctx, name)
	if errors.Is(err, cluster.ErrNoLab) {
		return nil, fmt.Errorf("%w: bring it up with `conformance lab up --lab %s`, or name another one in %s", err, name, labVariable)
	}
	return lab, err
}

func newBench(ctx context.Context) (*heldBench, error) {
	lab, err := openLab(ctx)
	if err != nil {
		return nil, err
	}
	hold, err := bench.Await(ctx, lab)
	if err != nil {
		return nil, err
	}
	if err := bench.Deploy(ctx, lab); err != nil {
		return nil, err
	}
	b, err := bench.New(ctx, lab, builtin.New(""))
	return &heldBench{b, hold}, err
}

// heldBench keeps the lab for as long as the process uses it: an unreachable
// Hold would be released by the garbage collector.
type heldBench struct {
	*bench.Bench
	hold *bench.Hold
}

// TestFeatures runs every scenario on the lab that is up; one alone with
// -run 'TestFeatures/<id>' (conformance list shows the ids).
func TestFeatures(t *testing.T) {
	scenarios, err := suite.Select(features.FS, suite.Selection{})
	require.NoError(t, err)
	b, err := newBench(t.Context())
	if errors.Is(err, cluster.ErrNoLab) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.hold.Release()) })
	judge := suite.Judge{Bench: b, EvidenceDir: func(id string) string { return filepath.Join(t.ArtifactDir(), filepath.FromSlash(id)) }}
	for _, s := range scenarios {
		t.Run(s.ID, func(t *testing.T) {
			entry, err := judge.Scenario(t.Context(), s)
			require.NoError(t, err)
			switch entry.Verdict {
			case reports.Passed:
			case reports.Skipped, reports.KnownGap:
				t.Skip(entry.Reason)
			default:
				t.Errorf("%s (%s:%d): %s", entry.Verdict, entry.File, entry.Line, entry.Reason)
			}
		})
	}
}

// onceBench serves `godog`, which makes a program of this package that calls
// InitializeScenario for each scenario.
var onceBench = sync.OnceValues(func() (*heldBench, error) { return newBench(context.Background()) })

// scenarioTimeout is that of a scenario run by `godog`, which has none itself.
const scenarioTimeout = time.Minute

// InitializeScenario makes `go tool godog run expose.feature:21`, run in this
// folder, play scenarios on the lab that is up.
func InitializeScenario(sc *godog.ScenarioContext) {
	b, err := onceBench()
	if err != nil {
		sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) { return ctx, err })
		steps.NewWorld(steps.Environment{}).Register(sc)
		return
	}
	session := b.NewSession("godog")
	session.Steps(sc)
	var cancel context.CancelFunc
	sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) {
		ctx, cancel = context.WithTimeout(ctx, scenarioTimeout)
		return ctx, session.Start(ctx)
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
		defer cancel()
		return ctx, session.Close(context.WithoutCancel(ctx))
	})
}

// Every word of the features must mean exactly one thing: an undefined or
// ambiguous step would otherwise be found only where there is a lab.
func TestEveryStepHasExactlyOneMeaning(t *testing.T) {
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	for _, file := range files {
		content, err := fs.ReadFile(features.FS, file)
		require.NoError(t, err)
		require.Contains(t, string(content), background, "%s: a dry run hangs on it", file)
		status, faults := dryRun(string(content))
		assert.Empty(t, faults, file)
		assert.Zero(t, status, file)
	}
}

func TestADryRunFindsWordsWithoutAMeaning(t *testing.T) {
	status, faults := dryRun("Feature: F\n\n  Background:\n    Given nobody knows it\n\n  Scenario: S\n    Then nor this\n")
	assert.NotZero(t, status)
	assert.Len(t, faults, 2)
}

// background is how the one of a feature begins.
const background = "\n  Background:\n"

// dryRun matches every step of a feature and runs none: a step that comes
// first skips the scenario, and godog still matches those that follow.
func dryRun(content string) (status int, faults []string) {
	content = strings.Replace(content, background, background+"    * a dry run\n", 1)
	status = godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			sc.Step(`^a dry run$`, func() error { return godog.ErrSkip })
			steps.NewWorld(steps.Environment{}).Register(sc)
			sc.StepContext().After(func(ctx context.Context, step *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
				if status != godog.StepSkipped {
					faults = append(faults, fmt.Sprintf("%s: %v", step.Text, err))
				}
				return ctx, nil
			})
		},
		Options: &godog.Options{
			Format: "progress", Output: io.Discard, Strict: true,
			FeatureContents: []godog.Feature{{Name: "dry.feature", Contents: []byte(content)}},
		},
	}.Run()
	return status, faults
}

func TestEveryTagIsOfTheVocabulary(t *testing.T) {
	known := []string{"@core", "@extended", "@clusters-3", "@load", "@faults", "@long"}
	for _, word := range engine.Words(engine.Capabilities()) {
		known = append(known, "@"+word)
	}
	scenarios, err := suite.Select(features.FS, suite.Selection{})
	require.NoError(t, err)
	for _, s := range scenarios {
		levels := 0
		for _, tag := range s.Tags {
			assert.True(t, slices.Contains(known, tag) || strings.HasPrefix(tag, "@known-gap="), "%s: %s", s.ID, tag)
			if tag == "@core" || tag == "@extended" {
				levels++
			}
		}
		assert.Equal(t, 1, levels, "%s: one of @core and @extended", s.ID)
	}
}

// A scenario that skips itself on two meshes must be found by its tag, and one
// that has the tag must not run, and fail, there.
func TestWhatNeedsThreeMeshesHasTheTagForIt(t *testing.T) {
	scenarios, err := suite.Select(features.FS, suite.Selection{})
	require.NoError(t, err)
	tagged := 0
	for _, s := range scenarios {
		asks := slices.ContainsFunc(s.Pickle.Steps, func(step *messages.PickleStep) bool { return step.Text == "there are 3 meshes" })
		assert.Equal(t, asks, slices.Contains(s.Tags, "@clusters-3"), s.ID)
		if asks {
			tagged++
		}
	}
	assert.NotZero(t, tagged)
}

// A capability that no scenario needs could be declared without anybody ever
// looking.
func TestEveryCapabilityIsTested(t *testing.T) {
	for _, word := range engine.Words(engine.Capabilities()) {
		_, err := suite.Select(features.FS, suite.Selection{Tags: "@" + word})
		assert.NoError(t, err)
	}
}
