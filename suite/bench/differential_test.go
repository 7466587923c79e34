package bench_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/engine/static"
	"github.com/meshfed/meshfed/fixtures/seed"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench"
)

// boundary is a feature that probes what the oracle derives from a step of the
// seed: every caller by every SNI, host, path and method that can be told apart.
// Anything that is answered is waited for first, so that no cell is tried while
// the gateway has still to hear of the step.
func boundary(s seed.Step) fstest.MapFS {
	var b strings.Builder
	fmt.Fprintf(&b, "Feature: %s\n  Scenario: every cell\n    Given the meshes c1 and c2 are paired\n    When the owner of %s applies:\n      \"\"\"yaml\n", s.Name, s.Cluster)
	for line := range strings.Lines(s.Declarations) {
		b.WriteString("      " + line)
	}
	b.WriteString("      \"\"\"\n")
	for _, e := range []struct{ path, sample, service string }{
		{"/bookinfo/myreviews/v2/", "reviews/0", "reviews v2"}, {"/bookinfo/myreviews/v3/", "reviews/0", "reviews v3"}, {"/bookinfo/ratings/v1/", "ratings/0", "ratings v1"},
	} {
		_, below, is := strings.Cut(s.Declarations, "path: "+e.path)
		if !is {
			continue
		}
		_, peer, _ := strings.Cut(below, "{peer: ")
		fmt.Fprintf(&b, "    And at c2, \"GET %s%s\" with %s's certificate is answered by %s of c2\n", e.path, e.sample, peer[:2], e.service)
	}
	fmt.Fprintf(&b, "    Then the boundary of %s is as declared, in each of at least 500 cells\n", s.Cluster)
	return fstest.MapFS{"boundary.feature": {Data: []byte(b.String())}}
}

// found is what became of one cell.
type found struct {
	got      reports.Access
	reason   string
	arrivals bool
}

// truth is the truth table that an engine makes of a step, by cell.
func truth(t *testing.T, lab cluster.Lab, e engine.Engine, s seed.Step) map[string]found {
	t.Helper()
	run := suite.Suite{
		Features: boundary(s), Out: t.TempDir(), ID: "run",
		Capabilities: suite.Capabilities{Known: engine.Words(engine.Capabilities()), Declared: engine.Words(e.Capabilities())},
		Prepare:      func(ctx context.Context) (suite.Bench, error) { return bench.New(ctx, lab, e) },
	}
	report, err := run.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Scenarios, 1)
	require.Equal(t, reports.Passed, report.Scenarios[0].Verdict, "%s: %s", e.Name(), report.Scenarios[0].Reason)
	require.Len(t, report.Scenarios[0].Figures.TruthTables, 1)
	table := map[string]found{}
	for _, c := range report.Scenarios[0].Figures.TruthTables[0].Cells {
		table[fmt.Sprintf("%s, SNI %q, host %q: %s %s", c.Client, c.SNI, c.Host, c.Method, c.Path)] = found{c.Got, atByte(c.Reason), c.Arrivals > 0}
	}
	return table
}

// atByte forgets at which byte a connection without TLS was cut: that is up to
// chance, and not to the engine.
func atByte(reason string) string {
	switch reason {
	case "reset", "handshake refused":
		return "no handshake"
	}
	return reason
}

func TestTwoEnginesThatShareNoCodeMakeTheSameBoundaryOfEachStepOfTheSeed(t *testing.T) {
	lab := openLab(t)
	second, err := static.New("")
	require.NoError(t, err)
	steps, err := seed.Steps()
	require.NoError(t, err)
	cells := 0
	for _, s := range steps {
		if s.Cluster != "c2" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			ours, theirs := truth(t, lab, builtin.New(""), s), truth(t, lab, second, s)
			require.Len(t, theirs, len(ours))
			for cell, want := range ours {
				assert.Equal(t, want, theirs[cell], cell)
			}
			cells += len(ours)
		})
	}
	t.Logf("%d cells of all steps, the same under both engines", cells)
}
