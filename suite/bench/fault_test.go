package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/steps"
)

// sturdy is a cluster of a provider that can break nothing.
type sturdy struct{ cluster.Cluster }

func (sturdy) Name() string { return "c2" }

// untouched is a cluster whose parts go on when they are paused.
type untouched struct {
	cluster.Faulter
	resumed *int
}

func (untouched) Name() string { return "c2" }

func (u untouched) Pause(context.Context, cluster.Part) (func() error, error) {
	return func() error { *u.resumed++; return nil }, nil
}

func TestAPauseThatStopsNothingIsNoFault(t *testing.T) {
	for name, c := range map[string]struct {
		answers bool
		fails   bool
	}{"it goes on": {true, true}, "it hangs": {false, false}} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !c.answers {
					select {
					case <-over:
					case <-r.Context().Done():
					}
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"written-1"}}`))
			}))
			defer server.Close()
			defer close(over)
			pods, err := workload.New(&rest.Config{Host: server.URL})
			require.NoError(t, err)
			resumed := 0
			f := faults{meshes: map[string]*mesh{"c2": {cluster: untouched{resumed: &resumed}, pods: pods}}}
			for _, what := range []steps.Breakage{steps.APIServerPaused, steps.EtcdPaused, steps.ClusterPaused} {
				_, err := f.Break(t.Context(), "c2", what)
				assert.Equal(t, c.fails, errors.Is(err, errPauseWrites), "%s: %v", what, err)
			}
			assert.Equal(t, map[bool]int{true: 3, false: 0}[c.fails], resumed, "what is no fault is not left paused")
		})
	}
}

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
