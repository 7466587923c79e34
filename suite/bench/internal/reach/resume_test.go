package reach

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/traffic"
)

// A server that knows its sessions whatever name is asked for takes what the
// ticket offers: were it never offered, no gateway could fail for taking it.
func TestASessionIsOfferedToAnotherName(t *testing.T) {
	authority, err := pki.New(pki.Options{})
	require.NoError(t, err)
	credential, err := authority.Issue(pki.Ingress("c2"))
	require.NoError(t, err)
	pair, err := credential.TLS()
	require.NoError(t, err)
	server := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	kept := &ticket{}
	ask := func(name string) bool {
		near, far := net.Pipe()
		go func() {
			s := tls.Server(far, server)
			_, _ = s.Write([]byte("x"))
			_ = s.Close()
		}()
		c := tls.Client(near, &tls.Config{ServerName: name, ClientSessionCache: kept, RootCAs: authority.Pool(), InsecureSkipVerify: true}) //nolint:gosec // whose name it is is not the question
		_, err := io.ReadAll(c)
		require.NoError(t, err)
		return c.ConnectionState().DidResume
	}
	assert.False(t, ask("c3.c2.example.com"), "there is no session yet")
	assert.True(t, ask("c1.c2.example.com"))
}

// A session that its own name does not resume either says nothing of another name.
func TestASessionThatIsNeverResumedLeavesNothingToTry(t *testing.T) {
	authority, err := pki.New(pki.Options{})
	require.NoError(t, err)
	credential, err := authority.Issue(pki.Ingress("c2"))
	require.NoError(t, err)
	pair, err := credential.TLS()
	require.NoError(t, err)
	for says, change := range map[string]func(*tls.Config){
		"":                         func(*tls.Config) {},
		"no TLS session to resume": func(c *tls.Config) { c.SessionTicketsDisabled = true },
		"not resumed by its own name": func(c *tls.Config) {
			c.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }
		},
	} {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		change(server.TLS)
		server.StartTLS()
		err := takeUp(t.Context(), traffic.Edge{
			Address: server.Listener.Addr().String(), Tickets: &ticket{},
			Server: traffic.Server{Roots: authority.Pool(), DNS: pki.Host("c2"), URI: pki.IngressIdentity("c2")},
		}, traffic.Call{Target: "/"})
		server.Close()
		if says == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, says)
		}
	}
}
