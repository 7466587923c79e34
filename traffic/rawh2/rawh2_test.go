package rawh2

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// server is Go's own, which keeps to the RFC.
func server(t *testing.T, h http.HandlerFunc) func(Abuse, Request) (Answer, error) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return func(a Abuse, r Request) (Answer, error) {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}).DialContext(t.Context(), "tcp", s.Listener.Addr().String()) //nolint:gosec // a test's server
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		return Do(conn, a, r, 1<<10)
	}
}

func request() Request {
	return Request{Method: "GET", Target: "/a", Host: "c2.example.com", First: "first.example.com", Mark: []Field{{"x-mark", "m"}}}
}

func TestAPlainRequestIsAnswered(t *testing.T) {
	say := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Host", r.Host)
		_, _ = w.Write([]byte(r.URL.Path + " " + r.Header.Get("X-Mark")))
	})
	answer, err := say(Plain, request())
	require.NoError(t, err)
	assert.Equal(t, Answer{Status: 200, Header: answer.Header, Body: []byte("/a m"), Sent: 1}, answer)

	answer, err = say(SecondHost, request())
	require.NoError(t, err)
	assert.Equal(t, "c2.example.com", answer.Header.Get("X-Host"), "the answer of the second stream counts")
	assert.Equal(t, "/a m", string(answer.Body), "and only it is marked")
}

// What every server must refuse reaches no handler of Go's. Where the RFC
// leaves a choice, or the server is known to be lenient, the row is missing.
func TestAHeadThatNoServerMayTakeArrivesNowhere(t *testing.T) {
	for _, a := range []Abuse{
		NoPath, EmptyPath, TwoPaths, TwoAuthorities, UnknownPseudo, StatusOfRequest, LatePseudo, UpperCase, LineFeedInValue, ReturnInValue, NULInValue,
		ColonInName, SpaceInMethod, Chunked, ConnectionHeader, EvenStream, StreamZero, HugeFrame, OverflownWindow,
	} {
		t.Run(string(a), func(t *testing.T) {
			say := server(t, func(_ http.ResponseWriter, r *http.Request) {
				// Of a request with a body that is cut off, the head arrives.
				if a != HugeFrame && a != OverflownWindow {
					t.Errorf("%s %s arrived", r.Method, r.RequestURI)
				}
				_, _ = io.Copy(io.Discard, r.Body)
			})
			answer, err := say(a, request())
			require.NoError(t, err)
			refused := strings.Contains(answer.Ended, "ERROR") || answer.Status == http.StatusBadRequest
			assert.True(t, refused, "%+v", answer)
		})
	}
}

func TestFloodsEnd(t *testing.T) {
	for _, a := range []Abuse{RapidReset, Continuation, HPACKBomb, CookieBomb, PingFlood, SettingsFlood, EmptyData, PriorityFlood} {
		t.Run(string(a), func(t *testing.T) {
			say := server(t, func(http.ResponseWriter, *http.Request) {})
			answer, err := say(a, request())
			assert.True(t, err != nil || answer.Ended != "" || answer.Status != 0)
			assert.NotZero(t, answer.Sent)
			assert.LessOrEqual(t, answer.Sent, floodAnswers+1)
		})
	}
}

// eavesdropped is a connection that notes whether something was read before the
// last was written.
type eavesdropped struct {
	net.Conn
	read, tooEarly atomic.Bool
}

func (e *eavesdropped) Read(p []byte) (int, error) {
	e.read.Store(true)
	return e.Conn.Read(p)
}

func (e *eavesdropped) Write(p []byte) (int, error) {
	if e.read.Load() {
		e.tooEarly.Store(true)
	}
	return e.Conn.Write(p)
}

// To a server that is quick, and that is read from, the flood was none: now and
// then it answered all of it, and the request behind it.
func TestNobodyReadsTheAnswersToAFloodWhileItLasts(t *testing.T) {
	for _, a := range []Abuse{PingFlood, SettingsFlood} {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there); _ = there.Close() }()
		conn := &eavesdropped{Conn: here}
		require.NoError(t, conn.SetDeadline(time.Now().Add(200*time.Millisecond)))
		_, err := Do(conn, a, request(), 10)
		require.Error(t, err, "nobody answers")
		assert.False(t, conn.tooEarly.Load(), a)
		assert.True(t, conn.read.Load(), "what was said is read in the end")
	}
}

func TestAnUnknownAbuseIsRefused(t *testing.T) {
	_, err := Do(nil, "shouting", Request{}, 0)
	assert.ErrorContains(t, err, "shouting")
}
