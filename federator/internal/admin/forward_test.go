package admin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// Whoever asks for an answer in time must get none rather than a late one, at
// whichever step the other side falls silent.
func TestASilentServerIsNotWaitedForLongerThanTheAskerWants(t *testing.T) {
	for name, handler := range map[string]func(over <-chan struct{}) http.HandlerFunc{
		"no answer to the upgrade": func(over <-chan struct{}) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { <-over }
		},
		"no answer to a stream": func(over <-chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(httpstream.Stream, <-chan struct{}) error {
					<-over
					return nil
				})
				if connection != nil {
					<-over
					_ = connection.Close()
				}
			}
		},
		"no answer on a stream": func(over <-chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(httpstream.Stream, <-chan struct{}) error { return nil })
				if connection != nil {
					<-over
					_ = connection.Close()
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			server := httptest.NewServer(handler(over))
			defer server.Close()
			defer close(over)
			const patience = 200 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began := time.Now()
			_, err := NewForward(&rest.Config{Host: server.URL}).Get(ctx, "ns", "pod", 15000, "/")
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, time.Since(began), 20*patience, "it was not waited for")
		})
	}
}
