package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/steps"
)

// somebodys is a cluster of somebody's: its objects are names ("gateways ns/x")
// in the words of the API, and whoever made each. It can be looked at.
type somebodys struct {
	cluster.Cluster
	kubeconfig string

	mu      sync.Mutex
	objects map[string]string
	// written are the requests that were no looks.
	written []string
}

func (s *somebodys) Name() string       { return "c1" }
func (s *somebodys) Kubeconfig() string { return s.kubeconfig }

func (s *somebodys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodGet {
		s.written = append(s.written, r.Method+" "+r.URL.Path)
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) == 1 {
		// Discovery: it knows no kinds by their names.
		_, _ = fmt.Fprintf(w, `{"kind": %q, "apiVersion": "v1"}`, map[string]string{"api": "APIVersions", "apis": "APIGroupList"}[parts[0]])
		return
	}
	if parts[len(parts)-2] == "secrets" {
		s.secret(w, parts[len(parts)-1])
		return
	}
	list := metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{Kind: "PartialObjectMetadataList", APIVersion: "meta.k8s.io/v1"}}
	for name := range s.objects {
		kind, place, _ := strings.Cut(name, " ")
		namespace, own, _ := strings.Cut(place, "/")
		if kind == parts[len(parts)-1] && (len(parts) < 5 || parts[0] != "api" || parts[3] == namespace) {
			list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: own}})
		}
	}
	_ = json.NewEncoder(w).Encode(list)
}

func (s *somebodys) secret(w http.ResponseWriter, name string) {
	manager, there := s.objects["secrets istio-private-gateways/"+name]
	if !there {
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound})
		return
	}
	_ = json.NewEncoder(w).Encode(corev1.Secret{TypeMeta: metav1.TypeMeta{Kind: "Secret", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: name, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: manager}}}})
}

func (s *somebodys) create(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[name] = "kubectl"
}

// lentOne is a borrowed lab of one cluster.
type lentOne struct {
	cluster.Lab
	c *somebodys
}

func (lentOne) Owner() string                             { return "somebody" }
func (lentOne) Places() []string                          { return nil }
func (lentOne) Name() string                              { return "lent" }
func (l lentOne) Clusters() []cluster.Cluster             { return []cluster.Cluster{l.c} }
func (l lentOne) Cluster(string) (cluster.Cluster, error) { return l.c, nil }

func lendOne(t *testing.T, objects map[string]string) lentOne {
	t.Helper()
	s := &somebodys{objects: objects, kubeconfig: filepath.Join(t.TempDir(), "config")}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	require.NoError(t, os.WriteFile(s.kubeconfig, fmt.Appendf(nil,
		"{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: %q}}], contexts: [{name: c, context: {cluster: c}}]}", server.URL), 0o600))
	return lentOne{c: s}
}

// benchOn is a bench of that lab as it is now.
func benchOn(t *testing.T, lab lentOne) *Bench {
	t.Helper()
	m, err := newMesh(lab.c, lab)
	require.NoError(t, err)
	b := &Bench{lab: lab, meshes: map[string]*mesh{"c1": m}}
	b.environment = steps.Environment{Lab: lab, Engine: idle{}}
	require.NoError(t, b.reset(t.Context(), m))
	return b
}

// idle is an engine that must not be asked for anything.
type idle struct{ engine.Engine }

func (idle) Name() string { return "idle" }

// A colleague who works elsewhere on the clusters is no engine that leaves things.
func TestWhatOthersDoElsewhereOnSomebodysClustersIsNoLeftover(t *testing.T) {
	lab := lendOne(t, map[string]string{"services dev/y": "kubectl", "gateways dev/theirs": "kubectl", "gateways istio-system/theirs": "kubectl"})
	b := benchOn(t, lab)
	lab.c.create("services dev/x")
	lab.c.create("virtualservices dev/x")
	assert.NoError(t, b.NewSession("a").Close(t.Context()), "the verdict stays what it was")
	for _, namespace := range []string{"default", "bookinfo", "istio-private-gateways", "consumer", "istio-system"} {
		lab.c.create("services " + namespace + "/x")
		left, err := b.Leftovers(t.Context(), "c1")
		require.NoError(t, err)
		assert.Contains(t, left, "left: services "+namespace+"/x", "an engine may have left it")
	}
	assert.Empty(t, lab.c.written)

	since, err := b.snapshot(t.Context(), "c1")
	require.NoError(t, err)
	lab.c.create("services dev/later")
	lab.c.create("services bookinfo/later")
	changed, err := since(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"left: services bookinfo/later"}, changed, "between two looks, too")
}

// Each look is two dozen lists of every cluster.
func TestWhatASessionHasLookedAtTheNextOneNeedNot(t *testing.T) {
	lab := lendOne(t, map[string]string{})
	b := benchOn(t, lab)
	const says = "is not as it was before the first scenario: left: services default/x"

	require.NoError(t, b.NewSession("a").asBefore(t.Context()))
	lab.c.create("services default/x")
	require.ErrorContains(t, b.NewSession("b").asBefore(t.Context()), says, "a has not ended, and nobody has looked since")

	delete(lab.c.objects, "services default/x")
	require.NoError(t, b.NewSession("b").Close(t.Context()))
	lab.c.create("services default/x")
	c := b.NewSession("c")
	require.NoError(t, c.asBefore(t.Context()), "b has looked")
	require.ErrorContains(t, b.NewSession("d").asBefore(t.Context()), says, "c has begun")

	c.world = steps.NewWorld(steps.Environment{Lab: lab, Engine: sweeper{}})
	require.ErrorContains(t, c.Close(t.Context()), "in c1: left: services default/x", "and sees it at its end")
	require.ErrorContains(t, b.NewSession("d").asBefore(t.Context()), says, "after an end that was not clean")
}

// sweeper is an engine that takes nothing away.
type sweeper struct{ idle }

func (sweeper) Apply(context.Context, cluster.Cluster, string) error { return nil }

func TestClustersInWhichSomebodyHasSomethingFederatedAreRefusedBeforeAnythingIsDone(t *testing.T) {
	const secret = "secrets istio-private-gateways/c1-example-com-ingress-certs"
	for name, c := range map[string]struct {
		objects map[string]string
		says    string
	}{
		"nothing":                      {map[string]string{"services default/x": "kubectl"}, ""},
		"elsewhere":                    {map[string]string{"gateways dev/x": "kubectl", "virtualservices istio-system/x": "kubectl"}, ""},
		"where the features are":       {map[string]string{"serviceentries default/x": "kubectl"}, "there is something of somebody's: serviceentries.networking.istio.io default/x: have it moved elsewhere"},
		"where the gateways are":       {map[string]string{"gateways istio-private-gateways/x": "kubectl"}, "gateways.networking.istio.io istio-private-gateways/x"},
		"beside somebody's secret":     {map[string]string{"gateways default/x": "kubectl", secret: "cert-manager"}, "something of somebody's"},
		"left by a run that was ended": {map[string]string{"gateways default/x": "engine", secret: fieldManager}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			lab := lendOne(t, c.objects)
			err := vacate(t.Context(), lab)
			assert.Empty(t, lab.c.written)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "delete it")
		})
	}
}

func TestTheOwnerOfClustersIsToldWhatHasToBeQuiet(t *testing.T) {
	for _, namespace := range []string{"default", "bookinfo", "consumer", "istio-private-gateways", "istio-system"} {
		assert.Contains(t, Terms(), namespace)
	}
}
