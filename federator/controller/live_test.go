package controller

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// liveLimit bounds each wait for the controller.
const liveLimit = 20 * time.Second

// site is a boundary of its own in a real cluster: gateways, control plane and
// services in namespaces of the test.
type site struct {
	config *rest.Config
	client client.Client
	name   string
}

func liveSite(t *testing.T) *site {
	t.Helper()
	path := os.Getenv("MESHFED_KUBECONFIG")
	if path == "" {
		t.Skip("MESHFED_KUBECONFIG names no kubeconfig of a running cluster with Istio's CRDs")
	}
	log.SetLogger(logr.Discard())
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err)
	cfg.QPS = -1
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, crd.AddToScheme(scheme))
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	require.NoError(t, err)
	s := &site{config: cfg, client: c, name: "federator-" + strings.ToLower(rand.Text()[:8])}
	s.define(t)
	var meshes crd.MeshList
	require.NoError(t, c.List(t.Context(), &meshes))
	if len(meshes.Items) > 0 {
		t.Skipf("the cluster has the Mesh %s already, and only one counts", meshes.Items[0].Name)
	}
	s.build(t)
	return s
}

// define brings the definitions and waits until they are served; they stay.
func (s *site) define(t *testing.T) {
	t.Helper()
	text, err := crd.Manifest()
	require.NoError(t, err)
	for doc := range strings.SplitSeq(string(text), "---\n") {
		if strings.TrimSpace(doc) == "" {
			continue
		}
		o := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(doc), &o.Object))
		require.NoError(t, s.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("federator-test"), client.ForceOwnership))
	}
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		// Only asking tells whether a kind is served.
		return errors.Join(s.client.List(ctx, &crd.MeshList{}), s.client.List(ctx, &crd.PeerList{}),
			s.client.List(ctx, &crd.ExposureList{}), s.client.List(ctx, &crd.ConsumptionList{})) == nil, nil
	}))
}

func (s *site) build(t *testing.T) {
	t.Helper()
	in := metav1.ObjectMeta{Namespace: s.name}
	named := func(name string) metav1.ObjectMeta { o := in; o.Name = name; return o }
	port := func(n int32) []corev1.ServicePort { return []corev1.ServicePort{{Port: n}} }
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}},
		&corev1.ConfigMap{ObjectMeta: named("istio"), Data: map[string]string{"mesh": "pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"}},
		&corev1.Service{ObjectMeta: named("in"), Spec: corev1.ServiceSpec{Selector: map[string]string{"istio": s.name}, Ports: port(15443)}},
		&corev1.Service{ObjectMeta: named("app"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "x"}, Ports: port(9080)}},
	} {
		require.NoError(t, s.client.Create(t.Context(), o))
	}
	t.Cleanup(func() {
		// The test's own context is over by the time of its clean-up.
		ctx, cancel := context.WithTimeout(context.Background(), liveLimit)
		defer cancel()
		for _, o := range []client.Object{s.mesh(), s.peer(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}}} {
			assert.NoError(t, client.IgnoreNotFound(s.client.Delete(ctx, o)))
		}
	})
}

func (s *site) mesh() *crd.Mesh {
	return &crd.Mesh{ObjectMeta: metav1.ObjectMeta{Name: s.name}, Spec: api.MeshSpec{Host: s.name + ".example.com",
		ControlPlane: api.ControlPlane{Namespace: s.name},
		Ingress:      &api.Gateway{Namespace: s.name, Service: "in", Selector: map[string]string{"istio": s.name}, Port: 15443, CredentialName: "certs"}}}
}

func (s *site) peer() *crd.Peer {
	return &crd.Peer{ObjectMeta: metav1.ObjectMeta{Name: s.name}, Spec: api.PeerSpec{ClientIdentity: "spiffe://" + s.name + ".example.com/egress"}}
}

func (s *site) exposure(name, path string) *crd.Exposure {
	return &crd.Exposure{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.name}, Spec: api.ExposureSpec{
		Service: api.Service{Name: "app", Port: 9080}, Path: path,
		Consumers: []api.Consumer{{Peer: s.name, Methods: []string{"GET"}}}}}
}

// run starts a controller and returns what stops it and waits for its end.
func (s *site) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, s.config, Options{Namespace: s.name, GatewayNamespace: s.name, RootNamespace: s.name, Namespaces: []string{s.name}})
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			assert.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	return stop
}

// await polls the condition Programmed of an exposure for a reason; last is what
// was seen instead.
func (s *site) await(t *testing.T, name string, want crd.Reason) {
	t.Helper()
	last := "nothing"
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		var e crd.Exposure
		if err := s.client.Get(ctx, client.ObjectKey{Namespace: s.name, Name: name}, &e); err != nil {
			return false, err
		}
		c := meta.FindStatusCondition(e.Status.Conditions, string(crd.Programmed))
		if c == nil || c.ObservedGeneration != e.Generation {
			return false, nil
		}
		last = c.Reason + ": " + c.Message
		return c.Reason == string(want), nil
	})
	require.NoError(t, err, "exposure %s: want %s; last: %s", name, want, last)
}

// routes maps the VirtualServices at the gateways to their versions.
func (s *site) routes(t *testing.T) map[string]string {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "VirtualServiceList"})
	require.NoError(t, s.client.List(t.Context(), list, client.InNamespace(s.name)))
	out := map[string]string{}
	for i := range list.Items {
		out[list.Items[i].GetName()] = list.Items[i].GetResourceVersion()
	}
	return out
}

func (s *site) awaitRoutes(t *testing.T, n int) {
	t.Helper()
	var last map[string]string
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(context.Context) (bool, error) {
		last = s.routes(t)
		return len(last) == n, nil
	}), "want %d routes; last: %v", n, &last)
}

func TestOnARealAPIServer(t *testing.T) {
	s := liveSite(t)
	stop := s.run(t)
	for _, o := range []client.Object{s.mesh(), s.peer(), s.exposure("first", "/first/")} {
		require.NoError(t, s.client.Create(t.Context(), o))
	}
	s.await(t, "first", crd.ReasonProgrammed)

	require.NoError(t, s.client.Create(t.Context(), s.exposure("same", "/first/")))
	s.await(t, "same", crd.ReasonPathClaimed)
	s.await(t, "first", crd.ReasonProgrammed)
	assert.Len(t, s.routes(t), 1)

	// Drift is mended.
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "VirtualService"})
	for name := range s.routes(t) {
		require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: s.name, Name: name}, route))
		require.NoError(t, s.client.Delete(t.Context(), route))
	}
	s.awaitRoutes(t, 1)

	// A restart writes nothing when nothing has changed, and catches up on what has.
	before := s.routes(t)
	stop()
	stop = s.run(t)
	require.NoError(t, s.client.Create(t.Context(), s.exposure("other", "/other/")))
	s.await(t, "other", crd.ReasonProgrammed)
	after := s.routes(t)
	for name, version := range before {
		assert.Equal(t, version, after[name], "%s was written again", name)
	}
	stop()
	require.NoError(t, s.client.Delete(t.Context(), s.exposure("other", "/other/")))
	require.NoError(t, s.client.Delete(t.Context(), s.exposure("first", "/first/")))
	s.run(t)
	s.await(t, "same", crd.ReasonProgrammed)
	s.awaitRoutes(t, 1)

	require.NoError(t, s.client.Delete(t.Context(), s.mesh()))
	s.awaitRoutes(t, 0)
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		err := s.client.Get(ctx, client.ObjectKey{Namespace: s.name, Name: "federator-inventory"}, &corev1.ConfigMap{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}), "the inventory is the last trace")
}
