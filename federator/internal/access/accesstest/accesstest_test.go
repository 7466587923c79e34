package accesstest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/federator/internal/access/accesstest"
)

func TestARightCountsOnlyByItsUse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		assert.Equal(t, "system:serviceaccount:own:me", q.Header.Get("Impersonate-User"))
		switch {
		case strings.HasSuffix(q.URL.Path, "/secrets/x"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `secrets "x" is forbidden`)
		case strings.HasSuffix(q.URL.Path, "/events"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `unable to create new content in namespace a because it is being terminated`)
		case q.Method == http.MethodPatch:
			w.WriteHeader(http.StatusCreated)
		}
	}))
	defer server.Close()
	var r accesstest.Recorder
	client, err := rest.HTTPClientFor(r.As(&rest.Config{Host: server.URL}, "own", "me"))
	require.NoError(t, err)
	for _, ask := range []struct{ method, path string }{
		{"GET", "/version"},
		{"GET", "/api/v1/namespaces/a/services?limit=500"}, {"GET", "/api/v1/namespaces/a/services?watch=true"}, {"GET", "/api/v1/namespaces/b/services/one"},
		{"PATCH", "/apis/networking.istio.io/v1/namespaces/a/gateways/g?fieldManager=x"}, {"DELETE", "/apis/networking.istio.io/v1/namespaces/a/gateways/g"},
		{"GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Distio&watch=1"},
		{"PUT", "/apis/x.io/v1/things/t/status"}, {"POST", "/api/v1/namespaces/a/pods/p/portforward"}, {"GET", "/api/v1/namespaces/a/secrets/x"},
		{"POST", "/apis/events.k8s.io/v1/namespaces/a/events"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), ask.method, server.URL+ask.path, nil)
		require.NoError(t, err)
		answer, err := client.Do(request)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		require.NoError(t, answer.Body.Close())
	}
	rule := func(group, resource string, verbs ...string) rbac.PolicyRule {
		return rbac.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
	}
	named := rule("", "configmaps", "watch", "list")
	named.ResourceNames = []string{"istio"}
	unused, refused := r.Compare(map[string][]rbac.PolicyRule{
		"": {rule("", "services", "list", "get"), named, rule("x.io", "things", "update"), rule("x.io", "things/status", "update")},
		"a": {rule("", "services", "list", "watch"), rule("networking.istio.io", "gateways", "create", "patch", "delete", "get"),
			rule("", "pods/portforward", "create", "get")},
	})
	assert.Equal(t, []string{"get secrets x in a"}, refused)
	assert.Equal(t, []string{"get gateways.networking.istio.io in a", "get pods/portforward in a", "list configmaps istio everywhere",
		"list services everywhere", "update things.x.io everywhere"}, unused)
}
