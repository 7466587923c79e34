package bench_test

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cluster/kind"
	"github.com/meshfed/meshfed/suite/bench"
)

// openLab is the lab that is up, and ours until the test ends.
func openLab(t *testing.T) cluster.Lab {
	t.Helper()
	name := os.Getenv("MESHFED_LAB")
	if name == "" {
		name = "default"
	}
	lab, err := labProvider(t).Open(t.Context(), name)
	if errors.Is(err, cluster.ErrNoLab) {
		t.Skipf("%v: bring it up with `conformance lab up --lab %s`", err, name)
	}
	require.NoError(t, err)
	hold, err := bench.Await(t.Context(), lab)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, hold.Release()) })
	require.NoError(t, bench.Deploy(t.Context(), lab))
	return lab
}

// labProvider is the embedded one, or that of kind if MESHFED_PROVIDER says so.
func labProvider(t *testing.T) cluster.Provider {
	t.Helper()
	if os.Getenv("MESHFED_PROVIDER") == kind.Name {
		provider, err := kind.New(kind.Options{})
		require.NoError(t, err)
		return provider
	}
	provider, err := embedded.New()
	require.NoError(t, err)
	return provider
}
