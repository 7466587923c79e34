package controller

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/federator/deploy"
)

func TestAControllerOfSomebodysIsNotReplaced(t *testing.T) {
	deployment := func(managers ...string) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: deploy.Name}}
		for _, m := range managers {
			d.ManagedFields = append(d.ManagedFields, metav1.ManagedFieldsEntry{Manager: m})
		}
		return d
	}
	require.NoError(t, vacant(t.Context(), fake.NewSimpleDynamicClient(scheme.Scheme)))
	require.NoError(t, vacant(t.Context(), fake.NewSimpleDynamicClient(scheme.Scheme, deployment("kube-controller-manager", fieldManager))))
	for _, managers := range [][]string{{"helm"}, {"kubectl", "kube-controller-manager"}, nil} {
		err := vacant(t.Context(), fake.NewSimpleDynamicClient(scheme.Scheme, deployment(managers...)))
		require.ErrorContains(t, err, "deployment federator-system/federator is somebody's")
		require.ErrorIs(t, err, errTaken)
	}
}

// at is a cluster whose API server is that one.
type at struct {
	cluster.Cluster
	kubeconfig string
}

func (at) Name() string { return "c1" }

func (a at) Kubeconfig() string { return a.kubeconfig }

// An Install that refuses is followed by an Uninstall: neither may write a thing.
func TestWhereAControllerIsSomebodysNothingIsWritten(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method, r.URL.Path)
		asked = asked || r.URL.Path == "/apis/apps/v1/namespaces/federator-system/deployments/federator"
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "federator", "managedFields": [{"manager": "helm"}]}}`)
	}))
	defer server.Close()
	c := at{kubeconfig: filepath.Join(t.TempDir(), "config")}
	require.NoError(t, os.WriteFile(c.kubeconfig, fmt.Appendf(nil, `{apiVersion: v1, kind: Config, current-context: x,
clusters: [{name: c, cluster: {server: %q}}], users: [{name: u}], contexts: [{name: x, context: {cluster: c, user: u}}]}`, server.URL), 0o600))
	require.ErrorContains(t, Engine{}.Install(t.Context(), c), "somebody's")
	require.NoError(t, Engine{}.Uninstall(t.Context(), c))
	assert.True(t, asked)
}
