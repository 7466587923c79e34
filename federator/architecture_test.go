package federator

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rendering stays a pure function only as long as nothing in reach of it can
// talk to a cluster, and the engine stays usable on its own only as long as it
// knows nothing of the harness.
func TestTheArrowsBetweenPackages(t *testing.T) {
	const module = "github.com/meshfed/meshfed/"
	cases := map[string]map[string]string{
		"./internal/render": {
			"k8s.io/client-go":                      "rendering has no client",
			"istio.io/client-go/pkg/clientset":      "rendering has no client",
			"sigs.k8s.io/controller-runtime":        "rendering has no client",
			module + "federator/internal/kube":      "rendering has no client",
			module + "federator/internal/plan":      "rendering knows no cluster state",
			module + "federator/internal/preflight": "facts are handed to rendering",
		},
		"./api": {
			"k8s.io/client-go": "declarations are judged from their text alone",
			"istio.io":         "declarations know nothing of Istio's objects",
		},
		"./internal/admit": {
			"k8s.io/client-go":                 "who is admitted is decided from what is handed in",
			module + "federator/internal/kube": "who is admitted is decided from what is handed in",
		},
		"./internal/envoy": {
			"k8s.io":                             "what Envoy runs is read from its own words",
			"istio.io":                           "what Envoy runs is read from its own words",
			module + "federator/api":             "what Envoy runs does not depend on what was declared",
			module + "federator/internal/render": "what Envoy runs does not depend on what was declared",
		},
		"./internal/verify": {
			module + "federator/internal/admin": "dumps are handed in",
			module + "federator/internal/plan":  "what is there is judged without knowing how it came there",
			module + "federator/internal/apply": "what is there is judged without knowing how it came there",
		},
		"./internal/explain": {
			module + "federator/internal/admin": "dumps are handed in",
		},
		".": {
			"sigs.k8s.io/controller-runtime": "the engine runs without a loop around it",
		},
		"./...": {
			module + "cluster":  "the engine knows no lab",
			module + "traffic":  "the engine sends no probes",
			module + "reports":  "the engine writes no reports",
			module + "steps":    "the engine knows no scenarios",
			module + "features": "the engine knows no scenarios",
			module + "fixtures": "the engine knows no fixtures",
		},
	}
	for pkg, banned := range cases {
		out, err := exec.Command("go", "list", "-deps", pkg).CombinedOutput()
		require.NoError(t, err, string(out))
		for dep := range strings.FieldsSeq(string(out)) {
			for prefix, why := range banned {
				if dep == prefix || strings.HasPrefix(dep, prefix+"/") {
					t.Errorf("%s reaches %s: %s", pkg, dep, why)
				}
			}
		}
	}
}
