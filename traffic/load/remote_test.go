package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func aServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			w.Header().Set("X-Meshfed-Version", "h2")
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestARunElsewhereTellsHowItGoesAndWhatItMeasured(t *testing.T) {
	var told []Progress
	plan := Plan{Rate: 100, Count: 220, Targets: one(aServer(t)), Watch: func(p Progress) { told = append(told, p) }}
	r, err := Exchange(t.Context(), plan, Serve)
	require.NoError(t, err)
	assert.EqualValues(t, 220, r.Samples[0].Count())
	require.NotEmpty(t, told)
	assert.EqualValues(t, 220, told[0].Count)
	assert.InDelta(t, 100, told[0].Ended, 40)
	assert.Contains(t, told[0].String(), "of 220 requests, p50")
}

func TestARunElsewhereThatIsStoppedTellsWhatItHasMeasured(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	r, err := Exchange(ctx, Plan{Rate: 100, Count: 100_000, Targets: one(aServer(t))}, Serve)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotEmpty(t, r.Samples)
	assert.Positive(t, r.Samples[0].Count())
	assert.Less(t, r.Samples[0].Count(), int64(1000))
}

func TestAFarEndThatDiesIsAnErrorAndNoResult(t *testing.T) {
	gone := errors.New("the pod is gone")
	_, err := Exchange(t.Context(), Plan{Rate: 1, Count: 1, Targets: one("http://a")},
		func(context.Context, io.Reader, io.Writer) error { return gone })
	require.ErrorIs(t, err, gone)
	_, err = Exchange(t.Context(), Plan{Rate: -1, Count: 1, Targets: one("http://a")}, Serve)
	assert.ErrorContains(t, err, "rate -1")
}

func TestAPlanThatIsNoneIsRefused(t *testing.T) {
	assert.ErrorContains(t, Serve(t.Context(), strings.NewReader(`{"rat":1}`), io.Discard), "read plan")
}

func TestHTTP2IsSpokenToWhomItIsMeantFor(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Meshfed-Version", r.Proto)
	}))
	s.Config.Protocols = &http.Protocols{}
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	r, err := Run(t.Context(), Plan{Rate: 100, Count: 8, Targets: []Target{
		{Name: "one", URL: s.URL}, {Name: "two", URL: s.URL, HTTP2: true}, {Name: "two, fresh", URL: s.URL, HTTP2: true, FreshConnection: true},
	}}, Transport)
	require.NoError(t, err)
	got := map[string]string{}
	for _, sample := range r.Samples {
		got[sample.Target] = sample.Example.Headers.Get("X-Meshfed-Version")
	}
	assert.Equal(t, map[string]string{"one": "HTTP/1.1", "two": "HTTP/2.0", "two, fresh": "HTTP/2.0"}, got)
}
