package toolchain

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that says another version than the one it was built from would
// make every report wrong.
func TestProgramsSayTheVersionTheyAreBuiltFrom(t *testing.T) {
	for file, c := range map[string]struct{ pin, said string }{
		"../../embedded/tools/kubernetes/go.mod": {`k8s.io/kubernetes (v\S+)`, kubernetesVersion},
		"../../embedded/tools/istio/go.mod":      {`istio.io/istio v0\.0\.0-\d+-([0-9a-f]{12})`, istioVersion},
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		pin := regexp.MustCompile(c.pin).FindSubmatch(text)
		require.Len(t, pin, 2, "%s", file)
		assert.Contains(t, c.said, string(pin[1]), "%s", file)
	}
}
