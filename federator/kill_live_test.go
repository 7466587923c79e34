package federator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/federator/internal/kube"
)

// executioner stands between the command and the API server and kills it, with
// SIGKILL, at its nth write: before the API server has seen the write, or after
// it has carried it out and before the command knows.
type executioner struct {
	mu     sync.Mutex
	proxy  *httputil.ReverseProxy
	left   int // writes until the end; negative: never
	after  bool
	victim *os.Process
}

func (x *executioner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	write := r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == ""
	if !write {
		x.proxy.ServeHTTP(w, r)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.left != 0 {
		x.left--
		x.proxy.ServeHTTP(w, r)
		return
	}
	if x.after {
		x.proxy.ServeHTTP(httptest.NewRecorder(), r)
	}
	_ = x.victim.Kill() // it may have ended by itself; the test looks at how it did
	x.left = -1
	panic(http.ErrAbortHandler)
}

// arm makes the command die at its nth write.
func (x *executioner) arm(n int, after bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.left, x.after = n, after
}

// command is the program federator, as its users run it.
type command struct {
	path, kubeconfig, dir string
	x                     *executioner
}

func liveCommand(t *testing.T) command {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv("MESHFED_KUBECONFIG"))
	require.NoError(t, err)
	transport, err := rest.TransportFor(cfg)
	require.NoError(t, err)
	target, err := url.Parse(cfg.Host)
	require.NoError(t, err)
	x := &executioner{left: -1, proxy: &httputil.ReverseProxy{Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}}
	server := httptest.NewServer(x)
	t.Cleanup(server.Close)
	c := command{dir: t.TempDir(), x: x}
	c.path, c.kubeconfig = filepath.Join(c.dir, "federator"), filepath.Join(c.dir, "kubeconfig")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", c.path, "../cmd/federator").CombinedOutput()
	require.NoError(t, err, string(out))
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: x, cluster: {server: %q}}]\ncontexts: [{name: x, context: {cluster: x}}]\n", server.URL)
	require.NoError(t, os.WriteFile(c.kubeconfig, []byte(text), 0o600))
	return c
}

// run says whether the command was killed; any other failure ends the test.
func (c command) run(t *testing.T, verb, file string) (killed bool) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c.path, verb, "-f", file, "--kubeconfig", c.kubeconfig)
	cmd.Stdout, cmd.Stderr = &out, &out
	c.x.mu.Lock()
	require.NoError(t, cmd.Start())
	c.x.victim = cmd.Process
	c.x.mu.Unlock()
	err := cmd.Wait()
	if err == nil {
		return false
	}
	require.Equal(t, -1, cmd.ProcessState.ExitCode(), "federator %s: %v: %s", verb, err, out.String())
	return true
}

func (c command) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestKilledAtAnyWriteOnARealAPIServerTheNextRunConverges(t *testing.T) {
	client, _, ns := liveCluster(t)
	namespace(t, client, ns)
	for _, o := range objects(t, own(cluster2YAML, ns)) {
		_, err := client.Apply(t.Context(), o, false)
		require.NoError(t, err)
	}
	raw, err := os.ReadFile("testdata/seed/c2.yaml")
	require.NoError(t, err)
	text := strings.Replace(own(string(raw), ns), "spec:\n  host:", "spec:\n  controlPlane: {namespace: "+ns+"}\n  host:", 1)
	documents := strings.Split(text, "---\n")
	other := strings.Join(append(documents[:len(documents)-2:len(documents)-2], strings.ReplaceAll(documents[len(documents)-1], "/ratings/v1/", "/scores/")), "---\n")

	c := liveCommand(t)
	wish, update := c.file(t, "wish.yaml", text), c.file(t, "update.yaml", other)
	for _, walk := range []struct{ name, before, verb, file string }{
		{"apply", "", "apply", wish}, {"update", wish, "apply", update}, {"cancel", wish, "cancel", wish},
	} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%t", walk.name, after), func(t *testing.T) {
				start := func() {
					c.run(t, "cancel", wish)
					c.run(t, "cancel", update)
					if walk.before != "" {
						require.False(t, c.run(t, "apply", walk.before))
					}
				}
				start()
				require.False(t, c.run(t, walk.verb, walk.file))
				want := said(t, client, ns)
				for n := 0; ; n++ {
					start()
					c.x.arm(n, after)
					if !c.run(t, walk.verb, walk.file) {
						c.x.arm(-1, false)
						assert.Greater(t, n, 3, "too few writes to be a walk")
						t.Logf("killed at each of %d writes", n)
						break
					}
					require.False(t, c.run(t, walk.verb, walk.file))
					require.Equal(t, want, said(t, client, ns), "after a SIGKILL at write %d", n)
				}
			})
		}
	}
	c.run(t, "cancel", wish)
	c.run(t, "cancel", update)
}

// said is what every object of a namespace says, without what the API server and
// its controllers number and stamp. The inventory holds UIDs and counts by name.
func said(t *testing.T, c kube.Client, ns string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name := range versions(t, c, ns) {
		out[name] = ""
	}
	for _, kind := range []string{"VirtualService", "Gateway", "DestinationRule", "ServiceEntry"} {
		items, err := c.List(t.Context(), "networking.istio.io/v1", kind, ns)
		require.NoError(t, err)
		for i := range items {
			raw, err := json.Marshal(items[i].Object["spec"])
			require.NoError(t, err)
			out[kube.RefOf(&items[i]).String()] = string(raw)
		}
	}
	items, err := c.List(t.Context(), "security.istio.io/v1", "AuthorizationPolicy", ns)
	require.NoError(t, err)
	for i := range items {
		raw, err := json.Marshal(items[i].Object["spec"])
		require.NoError(t, err)
		out[kube.RefOf(&items[i]).String()] = string(raw)
	}
	return out
}
