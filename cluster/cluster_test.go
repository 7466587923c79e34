package cluster_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
)

// elsewhere is a cluster behind some address; here is one on this machine.
type (
	elsewhere struct {
		cluster.Cluster
		kubeconfig string
	}
	here struct{ elsewhere }
)

func (elsewhere) Name() string { return "c1" }

func (e elsewhere) Kubeconfig() string { return e.kubeconfig }

func (here) OnThisMachine() {}

// A proxy knows no node of a lab on this machine: whoever asks it for one waits
// for minutes, and is told of a time-out.
func TestNoProxyIsAskedForAClusterOnThisMachine(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	at := elsewhere{kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	require.NoError(t, os.WriteFile(at.kubeconfig, []byte(`
apiVersion: v1
kind: Config
current-context: c1
clusters: [{name: c1, cluster: {server: "https://10.212.1.2:6443"}}]
users: [{name: c1, user: {token: t}}]
contexts: [{name: c1, context: {cluster: c1, user: c1}}]
`), 0o600))
	for proxy, asked := range map[string]bool{"": false, "http://proxy.example:3128": true} {
		t.Setenv("HTTPS_PROXY", proxy)
		config, err := cluster.RESTConfig(at)
		require.NoError(t, err)
		assert.Nil(t, config.Proxy, "the environment decides")
		config, err = cluster.RESTConfig(here{at})
		require.NoError(t, err)
		assert.Equal(t, asked, config.Proxy != nil, proxy)
		if !asked {
			continue
		}
		to, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://10.212.1.2:6443/readyz", nil)
		require.NoError(t, err)
		chosen, err := config.Proxy(to)
		require.NoError(t, err)
		assert.Nil(t, chosen)
	}
}
