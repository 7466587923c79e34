package load

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// nothing answers at once: all that takes time is the generator.
func nothing(Target) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(http.NoBody), Request: r}, nil
	})
}

// ownLag runs the generator against nothing for some seconds.
func ownLag(tb testing.TB, rate, seconds int) Result {
	tb.Helper()
	r, err := Run(tb.Context(), Plan{Rate: rate, Count: rate * seconds, Targets: one("http://nobody")}, nothing)
	require.NoError(tb, err)
	return r
}

// BenchmarkOwnLag is how late the generator is by itself, at 5,000 a second
// against a target that takes no time: goal p99 at most 150 µs.
//
//	go test ./traffic/load -run '^$' -bench OwnLag -benchtime 1x
func BenchmarkOwnLag(b *testing.B) {
	for b.Loop() {
		r := ownLag(b, 5000, 10)
		late := int64(0)
		total := int64(0)
		for _, bucket := range r.Lag {
			total += bucket.Count
			if bucket.Micros > 1000 {
				late += bucket.Count
			}
		}
		b.ReportMetric(float64(r.LagP99.Microseconds()), "µs-lag-p99")
		b.ReportMetric(100*float64(late)/float64(total), "%-late-over-1ms")
	}
}

func TestTheGeneratorMeasuresItsOwnLag(t *testing.T) {
	r := ownLag(t, 500, 1)
	require.EqualValues(t, 500, r.Samples[0].Count())
	require.NotEmpty(t, r.Lag)
	require.Positive(t, r.LagP99)
}
