// Package meshfed holds nothing but the rules of the house: which part may
// know which.
package meshfed

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/meshfed/meshfed/"

// imports are the project's own packages that a tree of packages needs, tests
// not counted.
func imports(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pattern).Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.NotEmpty(t, deps, "a rule about a tree that does not exist checks nothing")
	return deps
}

func TestEachPartKnowsOnlyWhatItMay(t *testing.T) {
	for _, rule := range []struct{ tree, must, why string }{
		{"./federator/...", module + "cluster", "the engine runs where no harness is"},
		{"./federator/...", module + "traffic", "the engine runs where no harness is"},
		{"./federator/...", module + "reports", "the engine runs where no harness is"},
		{"./federator/...", module + "fixtures", "the engine runs where no harness is"},
		{"./cluster/...", module + "federator", "a place for meshes knows nothing of federation"},
		{"./cluster/...", module + "engine", "a place for meshes knows nothing of federation"},
		{"./traffic/...", module + "federator", "a probe judges what it sees, not what was wanted"},
		{"./traffic/...", module + "engine", "a probe judges what it sees, not what was wanted"},
		{"./traffic/load/...", "k8s.io/", "it is linked into the fixtures' program"},
		{"./traffic/link/...", "k8s.io/", "it is linked into the fixtures' program"},
		{"./traffic/rawh2/...", module + "traffic/wire", "frames know nothing of what they are for"},
		{"./fixtures/bookinfo/...", "k8s.io/", "a workload knows nothing of where it runs"},
		{"./reports/...", "k8s.io/", "a report is checked without Kubernetes"},
		{"./steps/...", module + "cluster/embedded", "nothing above the interface knows its provider"},
		{"./suite/...", module + "cluster/embedded", "nothing above the interface knows its provider"},
		{"./steps/...", module + "cluster/existing", "nothing above the interface knows its provider"},
		{"./suite/...", module + "cluster/existing", "nothing above the interface knows its provider"},
		{"./steps/...", module + "cluster/kind", "nothing above the interface knows its provider"},
		{"./suite/...", module + "cluster/kind", "nothing above the interface knows its provider"},
		{"./cluster/kind/...", module + "cluster/embedded", "one provider does not know another"},
		{"./cluster/embedded/...", module + "cluster/kind", "one provider does not know another"},
		{"./cluster/internal/...", module + "cluster/embedded", "what providers share knows none of them"},
		{"./cluster/internal/...", module + "cluster/kind", "what providers share knows none of them"},
		{"./cluster/kind/internal/...", "k8s.io/client-go", "an engine and an image know no Kubernetes API"},
		{"./cluster/e2e/...", module + "cluster/embedded", "the framework's clusters come from any provider"},
		{"./steps/...", module + "federator", "steps speak to an engine, whichever it is"},
		{"./engine/static/...", module + "federator", "a second opinion shares nothing with the first"},
		{"./fixtures/...", module + "engine", "the seed's manifests are data, whoever applies them"},
		{"./oracle/...", module + "federator", "a second opinion shares nothing with the first"},
		{"./oracle/...", module + "traffic", "what ought to happen does not depend on how it is tried"},
		{"./federator/internal/render/...", "k8s.io/client-go", "rendering is pure"},
		{"./federator/mutation/...", "k8s.io/client-go", "what can be wrong with objects is told without a cluster"},
		{"./suite/alarms/...", module + "cluster", "verdicts are compared without meshes"},
	} {
		for _, dep := range imports(t, rule.tree) {
			under := dep == rule.must || strings.HasPrefix(dep, strings.TrimSuffix(rule.must, "/")+"/")
			assert.False(t, under, "%s needs %s: %s", rule.tree, dep, rule.why)
		}
	}
}
