package controller

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metadatafake "k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"
)

// apiServer refuses or fails the lists of some resources of some namespaces.
func apiServer(answers map[string]error) *metadatafake.FakeMetadataClient {
	c := metadatafake.NewSimpleMetadataClient(metadatafake.NewTestScheme())
	c.PrependReactor("list", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if err := answers[a.GetResource().Resource+" "+a.GetNamespace()]; err != nil {
			return true, nil, err
		}
		return true, &metav1.List{}, nil
	})
	return c
}

// An informer of a namespace without its Role never syncs, and then the process
// ends: a single one would hold up every namespace's withdrawals.
func TestANamespaceWithoutItsRoleIsNotWatched(t *testing.T) {
	forbidden := func(resource string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no Role"))
	}
	cases := map[string]struct {
		answers map[string]error
		want    []string
	}{
		"all rights are there":         {nil, nil},
		"no right to Services":         {map[string]error{"services b": forbidden("services")}, []string{"b"}},
		"no right to DestinationRules": {map[string]error{"destinationrules b": forbidden("destinationrules")}, []string{"b"}},
		"none at all":                  {map[string]error{"services a": forbidden("services"), "services b": forbidden("services")}, []string{"a", "b"}},
		// These are not matters of one namespace: they pass, or end the process as before.
		"an API server that is busy":      {map[string]error{"services b": apierrors.NewInternalError(errors.New("busy"))}, nil},
		"no right to the gateways' own":   {map[string]error{"services gw": forbidden("services")}, nil},
		"a kind that is not served there": {map[string]error{"destinationrules b": apierrors.NewNotFound(schema.GroupResource{}, "")}, nil},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			var told []string
			o, err := Options{Namespace: "federator-system", GatewayNamespace: "gw", Namespaces: []string{"a", "gw", "b"}, Resync: time.Hour,
				Log: funcr.New(func(_, args string) { told = append(told, args) }, funcr.Options{})}.complete()
			require.NoError(t, err)

			got := o.watchable(t.Context(), apiServer(row.answers))
			for kind, s := range watchedKinds(got) {
				if kind == corev1.SchemeGroupVersion.WithKind("Service") || kind.Kind == "DestinationRule" {
					assert.Contains(t, s.namespaces, "gw")
					for _, n := range []string{"a", "b"} {
						assert.Equal(t, !slices.Contains(row.want, n), slices.Contains(s.namespaces, n), "%s in %s", kind.Kind, n)
					}
				}
			}
			assert.True(t, got.manages("b"), "its declarations still count, and are told why they wait")
			require.Len(t, told, len(row.want))
			for i, n := range row.want {
				assert.Contains(t, told[i], `"namespace"="`+n+`"`)
				assert.Contains(t, told[i], "federator manifest --watch-namespace")
			}
			if len(row.want) > 0 {
				assert.Equal(t, retryLimit, got.Resync, "no watch shows what changes there")
			} else {
				assert.Equal(t, time.Hour, got.Resync)
			}
		})
	}
}

func TestWhoWatchesAllNamespacesAsksForNone(t *testing.T) {
	c := apiServer(nil)
	o := Options{GatewayNamespace: "gw", Resync: time.Hour}
	assert.Equal(t, o, o.watchable(t.Context(), c))
	assert.Empty(t, c.Actions())
}

// Who is asked whether it is ready before it sees the cluster says no.
func TestAControllerIsReadyWhenItsCacheHasSynced(t *testing.T) {
	for _, yes := range []bool{false, true} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil)
		err := synced(&informertest.FakeInformers{Synced: ptr.To(yes)})(request)
		if yes {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, "cache")
	}
}
