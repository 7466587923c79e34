package load

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/traffic/wire"
)

// answers is a server in the test's own time, which passes only when everybody
// waits: latencies are exact.
type answers func(n int64, r *http.Request) (status int, body string)

func (a answers) transport() func(Target) http.RoundTripper {
	var n atomic.Int64
	return func(Target) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			status, body := a(n.Add(1), r)
			h := http.Header{}
			if status == http.StatusOK {
				h.Set(wire.HeaderService, "details")
			}
			return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func one(url string) []Target { return []Target{{Name: "one", URL: url}} }

func quantile(t *testing.T, all []Bucket, q float64) time.Duration {
	t.Helper()
	var n, below int64
	for _, b := range all {
		n += b.Count
	}
	for _, b := range all {
		if below += b.Count; float64(below) >= q*float64(n) {
			return time.Duration(b.Micros) * time.Microsecond
		}
	}
	require.Fail(t, "no values")
	return 0
}

// One worker, 200 a second, 800 requests, the first of which takes a second:
// request k waits 1 s - 5k ms, so the 792nd in rising order, p99, is the one
// with k = 8: 960 ms; p90, with k = 80: 600 ms.
func TestAStallIsChargedToAllWhomItHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalling := answers(func(n int64, _ *http.Request) (int, string) {
			if n == 1 {
				time.Sleep(time.Second)
			}
			return http.StatusOK, ""
		})
		r, err := run(t.Context(), Plan{Rate: 200, Count: 800, Workers: 1, Targets: one("http://a")}, stalling.transport(), time.Sleep)
		require.NoError(t, err)
		require.Len(t, r.Samples, 1)
		assert.EqualValues(t, 800, r.Samples[0].Count())
		assert.InEpsilon(t, 960*time.Millisecond, quantile(t, r.Samples[0].Latency, 0.99), 0.01)
		assert.InEpsilon(t, 600*time.Millisecond, quantile(t, r.Samples[0].Latency, 0.90), 0.01)
		assert.True(t, r.Invalid(), "the one worker was what was late")
	})
}

func TestAStallOfOneTargetHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalling := answers(func(_ int64, r *http.Request) (int, string) {
			if r.URL.Host == "slow" {
				time.Sleep(time.Second)
			}
			return http.StatusOK, ""
		})
		r, err := run(t.Context(), Plan{Rate: 100, Count: 20, Workers: 1, Targets: []Target{
			{Name: "slow", URL: "http://slow"}, {Name: "fast", URL: "http://fast"},
		}}, stalling.transport(), time.Sleep)
		require.NoError(t, err)
		require.Len(t, r.Samples, 2)
		fast := r.Samples[0]
		require.Equal(t, "fast", fast.Target)
		assert.EqualValues(t, 10, fast.Count())
		assert.Less(t, quantile(t, fast.Latency, 1), time.Millisecond)
		assert.InEpsilon(t, 10*time.Second-9*20*time.Millisecond, quantile(t, r.Samples[1].Latency, 1), 0.01)
	})
}

func TestWithoutACapASlowAnswerHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := answers(func(int64, *http.Request) (int, string) {
			time.Sleep(300 * time.Millisecond)
			return http.StatusOK, ""
		})
		r, err := run(t.Context(), Plan{Rate: 1000, Count: 1000, Targets: one("http://a")}, slow.transport(), time.Sleep)
		require.NoError(t, err)
		assert.InEpsilon(t, 300*time.Millisecond, quantile(t, r.Samples[0].Latency, 1), 0.01)
		assert.False(t, r.Invalid())
	})
}

func TestTargetsAreAskedByTurnsAndHaveHistogramsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		server := answers(func(_ int64, r *http.Request) (int, string) {
			mu.Lock()
			order = append(order, r.URL.Host)
			mu.Unlock()
			if r.URL.Host == "b" {
				time.Sleep(time.Millisecond)
				return http.StatusForbidden, "RBAC: access denied"
			}
			return http.StatusOK, ""
		})
		r, err := run(t.Context(), Plan{Rate: 100, Count: 40, Targets: []Target{
			{Name: "honest", URL: "http://a"}, {Name: "denied", URL: "http://b", Share: 3},
		}}, server.transport(), time.Sleep)
		require.NoError(t, err)
		assert.Equal(t, "b a b b b a b b", strings.Join(order[:8], " "))
		require.Len(t, r.Samples, 2)
		denied, honest := r.Samples[0], r.Samples[1]
		assert.Equal(t, "denied", denied.Target)
		assert.EqualValues(t, 30, denied.Count())
		assert.Equal(t, "RBAC: access denied", denied.Example.Body)
		assert.EqualValues(t, 10, honest.Count())
		assert.Equal(t, "details", honest.Example.Headers.Get(wire.HeaderService))
	})
}

func TestAStoppedRunKeepsWhatItMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		fine := answers(func(int64, *http.Request) (int, string) { return http.StatusOK, "" })
		r, err := run(ctx, Plan{Rate: 100, Count: 100_000, Targets: one("http://a")}, fine.transport(), time.Sleep)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.InDelta(t, 30, r.Samples[0].Count(), 2)
	})
}

func TestARefusedHandshakeIsKnownByItsAlert(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	trusting := func(Target) http.RoundTripper { return s.Client().Transport }
	r, err := Run(t.Context(), Plan{Rate: 100, Count: 5, Targets: one(s.URL)}, trusting)
	require.NoError(t, err)
	var refused int64
	for _, sample := range r.Samples {
		if sample.Example.Fault == wire.FaultAlert {
			assert.EqualValues(t, 116, sample.Alert, "certificate_required")
			refused += sample.Count()
		}
	}
	assert.Positive(t, refused)
}

func TestNobodyListeningIsAFaultAndNoAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	r, err := Run(t.Context(), Plan{Rate: 100, Count: 3, Targets: one("http://" + address)}, Transport)
	require.NoError(t, err)
	require.Len(t, r.Samples, 1)
	assert.Equal(t, wire.FaultRefused, r.Samples[0].Example.Fault)
}

func TestABodyThatDoesNotComeInTimeIsATimeout(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	r, err := Run(t.Context(), Plan{Rate: 100, Count: 2, Targets: one(s.URL), Timeout: 200 * time.Millisecond}, Transport)
	require.NoError(t, err)
	require.Len(t, r.Samples, 1)
	assert.Equal(t, wire.FaultTimeout, r.Samples[0].Example.Fault, r.Samples[0].Example.Detail)
}

func TestAPlanAndAResultSurviveTheirTrip(t *testing.T) {
	p := Plan{Rate: 7, Count: 9, Targets: []Target{{Name: "a", URL: "http://a", Share: 2}}, Timeout: time.Second}
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	var got Plan
	require.NoError(t, json.Unmarshal(raw, &got))
	assert.Equal(t, p, got)
	assert.Equal(t, 1285714285*time.Nanosecond, p.Duration())
}

func TestTwoResultsTogetherAreJudgedByTheLagOfBoth(t *testing.T) {
	punctual := Result{Lag: []Bucket{{Micros: 100, Count: 985}}, LagP99: 100 * time.Microsecond, LagLimit: time.Millisecond, Samples: []Sample{{Target: "a"}}}
	late := Result{Lag: []Bucket{{Micros: 2000, Count: 15}}, LagP99: 2 * time.Millisecond, LagLimit: time.Millisecond, Samples: []Sample{{Target: "b"}}}
	both := Result{}.And(punctual).And(late)
	assert.Equal(t, []Sample{{Target: "a"}, {Target: "b"}}, both.Samples)
	assert.InEpsilon(t, 2*time.Millisecond, both.LagP99, 0.001)
	assert.True(t, both.Invalid())
	assert.False(t, Result{}.And(punctual).Invalid())
	assert.True(t, Result{}.And(Result{}).Invalid(), "nothing was sent")
}

func TestAPlanOutsideItsBoundsIsRefused(t *testing.T) {
	fine := one("http://a")
	for want, p := range map[string]Plan{
		"rate 0":                   {Count: 1, Targets: fine},
		"rate -1":                  {Rate: -1, Count: 1, Targets: fine},
		"rate 20001":               {Rate: maxRate + 1, Count: 1, Targets: fine},
		"count 0":                  {Rate: 1, Targets: fine},
		"count 1000001":            {Rate: 1, Count: maxCount + 1, Targets: fine},
		"0 targets":                {Rate: 1, Count: 1},
		"101 targets":              {Rate: 1, Count: 1, Targets: make([]Target, maxTargets+1)},
		`target name ""`:           {Rate: 1, Count: 1, Targets: []Target{{URL: "http://a"}}},
		`target name "one"`:        {Rate: 1, Count: 1, Targets: append(one("http://a"), fine...)},
		"share 101":                {Rate: 1, Count: 1, Targets: []Target{{Name: "a", Share: maxShare + 1}}},
		"workers is negative":      {Rate: 1, Count: 1, Targets: fine, Workers: -1},
		"time-out, lag limit or n": {Rate: 1, Count: 1, Targets: fine, Timeout: -1},
	} {
		_, err := Run(t.Context(), p, Transport)
		assert.ErrorContains(t, err, want)
	}
}
