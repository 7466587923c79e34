package traffic

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASessionKeepsItsConnectionUntilTheServerClosesIt(t *testing.T) {
	var peers []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peers = append(peers, r.RemoteAddr)
		if r.URL.Path == "/last" {
			w.Header().Set("Connection", "close")
		}
	}))
	defer server.Close()
	s := NewSession(Edge{Address: server.Listener.Addr().String(), Plaintext: true})
	defer s.Close()
	ask := func(path string) {
		_, err := s.Do(t.Context(), Call{Target: path, Host: "x"})
		require.NoError(t, err)
	}
	assert.False(t, s.Live(), "it connects with its first request")
	ask("/1")
	ask("/2")
	assert.True(t, s.Live())
	ask("/last")
	assert.False(t, s.Live())
	ask("/4")
	require.Len(t, peers, 4)
	assert.Equal(t, peers[0], peers[1])
	assert.Equal(t, peers[1], peers[2])
	assert.NotEqual(t, peers[2], peers[3])
}

func TestASessionThatNobodyAnswersIsAnOutcomeAndNoConnection(t *testing.T) {
	s := NewSession(Edge{Address: "127.0.0.1:1", Plaintext: true})
	o, err := s.Do(t.Context(), Call{Target: "/", Host: "x"})
	require.NoError(t, err)
	assert.Equal(t, Unreachable, o.Kind)
	assert.False(t, s.Live())
}
