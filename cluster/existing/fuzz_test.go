package existing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/existing"
)

// FuzzFlags: whatever stands on the command line, each context and gateway that
// is understood is of a cluster with a name, and there are as many as words.
func FuzzFlags(f *testing.F) {
	for _, words := range []string{"c1=a c2=b", "c2=h:15443,127.0.0.1:1", "c1=[::1]:1", "=", "c1=a c1=b", "c2=h:0", ""} {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, " ")
		if contexts, err := existing.ParseContexts(words); err == nil {
			require.Len(t, contexts, len(words))
			for _, c := range contexts {
				require.NotEmpty(t, c.Name)
				require.NotEmpty(t, c.Context)
			}
		}
		if gateways, err := existing.ParseGateways(words); err == nil {
			require.Len(t, gateways, len(words))
			for name, g := range gateways {
				require.NotEmpty(t, name, "%q", line)
				require.NotEmpty(t, g.Peers)
				require.NotEmpty(t, g.Harness)
			}
		}
	})
}
