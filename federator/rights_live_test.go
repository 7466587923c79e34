package federator

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbac "k8s.io/api/rbac/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator/internal/access/accesstest"
)

// lookingOn is an engine under the rights to look on in the lab's first mesh, and
// no others, with a record of their use.
func lookingOn(t *testing.T, record *accesstest.Recorder, rights map[string][]rbac.PolicyRule) *Engine {
	t.Helper()
	_, _, name := liveCluster(t)
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv("MESHFED_KUBECONFIG"))
	require.NoError(t, err)
	admin, err := client.New(cfg, client.Options{Scheme: clientgoscheme.Scheme})
	require.NoError(t, err)
	for _, o := range accesstest.Bind("default", name, rights) {
		require.NoError(t, admin.Create(t.Context(), o))
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), cleanupLimit)
			defer cancel()
			assert.NoError(t, admin.Delete(ctx, o))
		})
	}
	require.NoError(t, accesstest.Await(t.Context(), admin, "default", name, rights))
	e, err := New(record.As(cfg, "default", name), WithoutSecrets())
	require.NoError(t, err)
	return e
}

// Verify, Diff and Explain need what VerifyRights says, and no less.
func TestTheRightsToLookOnAreEnoughAndNoneIsTooMany(t *testing.T) {
	var record accesstest.Recorder
	rights := VerifyRights(Where{Gateways: gateways, ControlPlane: "istio-system", MeshConfig: "istio", Services: []string{"default"}})
	e := lookingOn(t, &record, rights)
	for _, name := range []string{"c1", "c2"} {
		spec, err := Load("testdata/seed/" + name + ".yaml")
		require.NoError(t, err)
		report, err := e.Verify(t.Context(), spec)
		require.NoError(t, err)
		assert.NotEmpty(t, report.Gateways, "no gateway was looked into")
		_, err = e.Diff(t.Context(), spec)
		require.NoError(t, err)
	}
	c1, err := Load("testdata/seed/c1.yaml")
	require.NoError(t, err)
	_, err = e.Explain(t.Context(), c1, Question{Host: "ratings", Path: "/ratings/0"})
	require.NoError(t, err)
	c2, err := Load("testdata/seed/c2.yaml")
	require.NoError(t, err)
	_, err = e.Explain(t.Context(), c2, Question{Peer: "c1", Path: "/bookinfo/ratings/v1/ratings/0"})
	require.NoError(t, err)

	unused, refused := record.Compare(rights)
	assert.Empty(t, refused, "rights that are missing")
	// API servers of old know port-forwards by SPDY only; one by websocket is a get.
	old := "create pods/portforward in " + gateways
	assert.Empty(t, slices.DeleteFunc(unused, func(right string) bool { return right == old }), "rights that nothing needs")
}
