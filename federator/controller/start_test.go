package controller

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/features"
	featuretest "k8s.io/client-go/features/testing"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// startLimit bounds the start of a controller whose API server answers at once.
const startLimit = 20 * time.Second

// emptyCluster is an API server that holds one Service of the gateways, which wakes
// the loop, and refuses lists by their path.
type emptyCluster struct {
	refused []string
	// asked counts the looks at the inventory, one for each that the engine takes, and
	// refusals what it was told.
	asked, refusals atomic.Int32
}

// served are the kinds by their path, the namespaced ones with a star.
func served() map[string][]string {
	return map[string][]string{
		"/api/v1":                              {"*services Service", "*configmaps ConfigMap"},
		"/apis/federation.meshfed.io/v1alpha1": {"meshes Mesh", "peers Peer", "*exposures Exposure", "*consumptions Consumption"},
		"/apis/networking.istio.io/v1":         {"*gateways Gateway", "*virtualservices VirtualService", "*destinationrules DestinationRule", "*serviceentries ServiceEntry"},
		"/apis/security.istio.io/v1":           {"*authorizationpolicies AuthorizationPolicy"},
		"/apis/discovery.k8s.io/v1":            {"*endpointslices EndpointSlice"},
	}
}

func (c *emptyCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(code int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body) // the client is gone
	}
	path := strings.Split(r.URL.Path, "/")
	resource := path[len(path)-1]
	switch {
	case r.URL.Path == "/api":
		answer(http.StatusOK, metav1.APIVersions{Versions: []string{"v1"}})
	case r.URL.Path == "/apis":
		answer(http.StatusOK, groups())
	case served()[r.URL.Path] != nil:
		answer(http.StatusOK, resources(r.URL.Path))
	case slices.Contains(c.refused, r.URL.Path):
		c.refusals.Add(1)
		answer(http.StatusForbidden, metav1.Status{Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "no Role"})
	case resource == "federator-inventory":
		c.asked.Add(1)
		answer(http.StatusNotFound, metav1.Status{Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound})
	case r.URL.Query().Get("watch") != "":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		answer(http.StatusOK, list(r, resource))
	}
}

func groups() metav1.APIGroupList {
	var out metav1.APIGroupList
	for path := range served() {
		if gv, ok := strings.CutPrefix(path, "/apis/"); ok {
			group, version, _ := strings.Cut(gv, "/")
			v := metav1.GroupVersionForDiscovery{GroupVersion: gv, Version: version}
			out.Groups = append(out.Groups, metav1.APIGroup{Name: group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
		}
	}
	return out
}

func resources(path string) metav1.APIResourceList {
	out := metav1.APIResourceList{GroupVersion: strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")}
	for _, text := range served()[path] {
		plural, kind, _ := strings.Cut(text, " ")
		name, namespaced := strings.CutPrefix(plural, "*")
		out.APIResources = append(out.APIResources, metav1.APIResource{Name: name, Kind: kind, Namespaced: namespaced, Verbs: metav1.Verbs{"get", "list", "watch"}})
	}
	return out
}

func list(r *http.Request, resource string) any {
	meta := map[string]any{"resourceVersion": "1"}
	if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList") {
		items := []any{}
		if resource == "services" && strings.Contains(r.URL.Path, "/gw/") {
			items = append(items, map[string]any{"metadata": map[string]any{"name": "in", "namespace": "gw", "resourceVersion": "1"}})
		}
		return map[string]any{"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items}
	}
	for path, kinds := range served() {
		for _, text := range kinds {
			if plural, kind, _ := strings.Cut(strings.TrimPrefix(text, "*"), " "); plural == resource {
				return map[string]any{"kind": kind + "List", "apiVersion": resources(path).GroupVersion, "metadata": meta, "items": []any{}}
			}
		}
	}
	return metav1.Status{Status: metav1.StatusFailure, Message: "not served: " + r.URL.Path}
}

// One namespace without its Role keeps a controller neither from its work nor from
// being ready; a list that nothing works without keeps it from both.
func TestAControllerStartsBesideANamespaceWithoutItsRole(t *testing.T) {
	featuretest.SetFeatureDuringTest(t, features.WatchListClient, false)
	log.SetLogger(logr.Discard())
	for name, row := range map[string]struct {
		refused []string
		starts  bool
	}{
		"of declarations": {[]string{"/api/v1/namespaces/b/services", "/apis/networking.istio.io/v1/namespaces/b/destinationrules"}, true},
		"of the gateways": {[]string{"/api/v1/namespaces/gw/services"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := &emptyCluster{refused: row.refused}
			probes := cluster.start(t)
			if row.starts {
				assert.Eventually(t, func() bool { return cluster.asked.Load() > 0 && readiness(t, probes) == http.StatusOK }, startLimit, 50*time.Millisecond)
				return
			}
			require.Eventually(t, func() bool { return cluster.refusals.Load() > 0 }, startLimit, 50*time.Millisecond)
			assert.Equal(t, http.StatusInternalServerError, readiness(t, probes))
			assert.Zero(t, cluster.asked.Load())
		})
	}
}

// start runs a controller on the cluster until the test ends, and returns where its
// probes are.
func (c *emptyCluster) start(t *testing.T) (probes string) {
	t.Helper()
	server := httptest.NewServer(c)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	probes = listener.Addr().String()
	require.NoError(t, listener.Close())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, &rest.Config{Host: server.URL}, Options{Namespace: "federator-system", GatewayNamespace: "gw",
			Namespaces: []string{"a", "b"}, ProbeAddress: probes})
	}()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
		server.CloseClientConnections()
		server.Close()
	})
	return probes
}

// readiness is the answer of the probe, zero when there is none.
func readiness(t *testing.T, probes string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+probes+"/readyz", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close() // nothing was written
	return answer.StatusCode
}
