package load

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stalling answers as a fixture does, and holds its first request for a second.
func stalling(t *testing.T) *httptest.Server {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			time.Sleep(time.Second)
		}
		w.Header().Set(wire.HeaderService, "details")
	}))
	t.Cleanup(s.Close)
	return s
}

// One worker, 200 a second, 800 requests: request k waits 1 s - 5k ms, so the
// 792nd in rising order, p99, is the one with k = 8: 960 ms.
func TestAStallIsChargedToAllWhomItHeldUp(t *testing.T) {
	r, err := Run(t.Context(), Plan{Rate: 200, Count: 800, Workers: 1, URL: stalling(t).URL, Transport: &http.Transport{}})
	require.NoError(t, err)
	require.Contains(t, r.Latency, traffic.Allowed)
	assert.EqualValues(t, 800, r.Latency[traffic.Allowed].TotalCount())
	assert.InEpsilon(t, 960_000, r.Latency[traffic.Allowed].ValueAtQuantile(99), 0.01)
	assert.True(t, r.Invalid(), "the one worker was what was late")
}

func TestRefusalsHaveAHistogramOfTheirOwn(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("RBAC: access denied"))
	}))
	defer s.Close()
	r, err := Run(t.Context(), Plan{Rate: 100, Count: 20, URL: s.URL, Transport: &http.Transport{}})
	require.NoError(t, err)
	require.Len(t, r.Latency, 1)
	assert.EqualValues(t, 20, r.Latency[traffic.DeniedByPolicy].TotalCount())
}

func TestAStoppedRunKeepsWhatItMeasured(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := Run(ctx, Plan{Rate: 100, Count: 100_000, URL: stalling(t).URL, Transport: &http.Transport{}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Positive(t, r.Lag.TotalCount())
}

func TestAPlanOutsideItsBoundsIsRefused(t *testing.T) {
	for name, p := range map[string]Plan{
		"zero":         {Transport: &http.Transport{}},
		"negative":     {Rate: -1, Count: 1, Transport: &http.Transport{}},
		"too fast":     {Rate: maxRate + 1, Count: 1, Transport: &http.Transport{}},
		"too many":     {Rate: 1, Count: maxCount + 1, Transport: &http.Transport{}},
		"no transport": {Rate: 1, Count: 1},
	} {
		_, err := Run(t.Context(), p)
		assert.Error(t, err, name)
	}
}
