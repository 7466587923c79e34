package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/steps"
)

// sturdy is a cluster of a provider that can break nothing.
type sturdy struct{ cluster.Cluster }

func (sturdy) Name() string { return "c2" }

func TestWhatAProviderCannotBreakIsSkippedAndNotFailed(t *testing.T) {
	f := faults{meshes: map[string]*mesh{"c2": {cluster: sturdy{}}}}
	for _, what := range []steps.Breakage{
		steps.APIServerPaused, steps.EtcdPaused, steps.ClusterPaused, steps.APIServerKilled, steps.EtcdKilled, steps.EtcdDiskFull,
	} {
		_, err := f.Break(t.Context(), "c2", what)
		assert.ErrorIs(t, err, steps.ErrCannotBreak, what)
	}
	f.borrowed = true
	_, err := f.Break(t.Context(), "c2", steps.IngressKilled)
	assert.ErrorIs(t, err, steps.ErrCannotBreak, "it is somebody's")
	_, err = f.Break(t.Context(), "c2", "the moon is down")
	assert.Error(t, err)
}
