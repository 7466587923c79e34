package controller

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/features"
	featuretest "k8s.io/client-go/features/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
	"github.com/meshfed/meshfed/federator/deploy"
	"github.com/meshfed/meshfed/federator/internal/access/accesstest"
)

// estate is a site whose places have a namespace each, so that a right at one is
// told from a right at another.
type estate struct {
	*site
	root, services, own string
}

func liveEstate(t *testing.T) *estate {
	t.Helper()
	s := liveSite(t)
	e := &estate{site: s, root: s.name + "-root", services: s.name + "-services", own: s.name + "-own"}
	for _, ns := range []string{e.root, e.services, e.own} {
		s.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	}
	port := func(n int32) []corev1.ServicePort { return []corev1.ServicePort{{Port: n}} }
	s.create(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "istio", Namespace: e.root}, Data: map[string]string{"mesh": "pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"}})
	s.create(t, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "app", Namespace: e.services}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "x"}, Ports: port(9080)}})
	s.create(t, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "out", Namespace: s.name}, Spec: corev1.ServiceSpec{Selector: map[string]string{"istio": s.name + "-out"}, Ports: port(443)}})
	return e
}

// create makes something that goes with the test.
func (s *site) create(t *testing.T, o client.Object) {
	t.Helper()
	require.NoError(t, s.client.Create(t.Context(), o))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), liveLimit)
		defer cancel()
		assert.NoError(t, client.IgnoreNotFound(s.client.Delete(ctx, o)))
	})
}

// generated are the rights of the deployment's roles, by namespace.
func (e *estate) generated(t *testing.T) map[string][]rbac.PolicyRule {
	t.Helper()
	objects, err := deploy.Objects(deploy.Options{Image: "none", Namespace: e.own, GatewayNamespace: e.name, RootNamespace: e.root, Namespaces: []string{e.services}})
	require.NoError(t, err)
	out := map[string][]rbac.PolicyRule{}
	for _, o := range objects {
		if kind := o.GetKind(); kind != "Role" && kind != "ClusterRole" {
			continue
		}
		var role rbac.ClusterRole // a Role has the same fields
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role))
		out[o.GetNamespace()] = append(out[o.GetNamespace()], role.Rules...)
	}
	require.Len(t, out, 5, "one role at each place")
	return out
}

// employ gives an account of the test rights, and returns when they hold.
func (e *estate) employ(t *testing.T, rights map[string][]rbac.PolicyRule) {
	t.Helper()
	for _, o := range accesstest.Bind(e.own, e.name, rights) {
		e.create(t, o)
	}
	require.NoError(t, accesstest.Await(t.Context(), e.client, e.own, e.name, rights))
}

func (e *estate) boundary() []client.Object {
	m, p := e.mesh(), e.peer()
	m.Spec.ControlPlane.Namespace = e.root
	m.Spec.Egress = &api.Gateway{Namespace: e.name, Service: "out", Selector: map[string]string{"istio": e.name + "-out"}, Port: 443, CredentialName: "certs"}
	p.Spec.ServerIdentity, p.Spec.SNI = "spiffe://"+e.name+".example.com/ingress", "peer-"+e.name+".example.com"
	p.Spec.Address = &api.Address{Host: "192.0.2.1", Port: 15443}
	return []client.Object{m, p}
}

func (e *estate) exposed(name, path string) *crd.Exposure {
	x := e.exposure(name, path)
	x.Namespace = e.services
	return x
}

func (e *estate) consumed() *crd.Consumption {
	return &crd.Consumption{ObjectMeta: metav1.ObjectMeta{Name: "theirs", Namespace: e.services}, Spec: api.ConsumptionSpec{
		Service: api.Service{Name: "theirs", Port: 9080}, From: api.From{Peer: e.name, Path: "/theirs/"},
		Routes: []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 100}}}},
	}}
}

// reason waits for the reason of a condition of a resource.
func (e *estate) reason(t *testing.T, o client.Object, conditions *[]metav1.Condition, want crd.Reason) {
	t.Helper()
	last := "nothing"
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		if err := e.client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return false, err
		}
		c := meta.FindStatusCondition(*conditions, string(crd.Programmed))
		if c == nil {
			return false, nil
		}
		last = c.Reason + ": " + c.Message
		return c.Reason == string(want), nil
	}), "%s: want %s; last: %s", o.GetName(), want, &last)
}

// move puts an exposure under another path.
func (e *estate) move(t *testing.T, x *crd.Exposure, path string) {
	t.Helper()
	before := x.DeepCopy()
	x.Spec.Path = path
	require.NoError(t, e.client.Patch(t.Context(), x, client.MergeFrom(before)))
}

// leads waits until so many routes are in the services' namespace.
func (e *estate) leads(t *testing.T, want int) {
	t.Helper()
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "VirtualServiceList"})
		err := e.client.List(ctx, list, client.InNamespace(e.services))
		return len(list.Items) == want, err
	}), "want %d routes in %s", want, e.services)
}

// The whole life of both sides' declarations under exactly the rights that are
// deployed: nothing is refused, and nothing is granted that is not used. Watches
// begin with a list where the API server cannot begin them by themselves, as those
// before Kubernetes 1.32.
func TestTheGeneratedRightsAreEnoughAndNoneIsTooMany(t *testing.T) {
	e := liveEstate(t)
	rights := e.generated(t)
	e.employ(t, rights)
	var record accesstest.Recorder
	for name, streams := range map[string]bool{"lists in watches": true, "lists before watches": false} {
		t.Run(name, func(t *testing.T) {
			featuretest.SetFeatureDuringTest(t, features.WatchListClient, streams)
			stop, ended := e.start(t, record.As(e.config, e.own, e.name), func(o *Options) {
				o.Namespace, o.RootNamespace, o.Namespaces = e.own, e.root, []string{e.services}
				o.LeaderElection, o.Identity = true, "a"
			})
			e.live(t)
			stop()
			require.NoError(t, <-ended)
		})
	}
	unused, refused := record.Compare(rights)
	assert.Empty(t, refused, "rights that are missing")
	// An event is told twice of one version of an object only if the controller has
	// read an old one meanwhile, which cannot be had at will.
	seldom := "patch events.events.k8s.io everywhere"
	assert.Empty(t, slices.DeleteFunc(unused, func(right string) bool { return right == seldom }), "rights that nothing needs")
}

// live makes declarations, changes them, and takes them away.
func (e *estate) live(t *testing.T) {
	t.Helper()
	for _, o := range e.boundary() {
		e.create(t, o)
	}
	first, same, theirs := e.exposed("first", "/first/"), e.exposed("same", "/first/"), e.consumed()
	e.create(t, first)
	e.create(t, theirs)
	e.reason(t, first, &first.Status.Conditions, crd.ReasonProgrammed)
	e.reason(t, theirs, &theirs.Status.Conditions, crd.ReasonProgrammed)

	e.create(t, same)
	e.reason(t, same, &same.Status.Conditions, crd.ReasonPathClaimed)
	e.move(t, same, "/same/")
	e.reason(t, same, &same.Status.Conditions, crd.ReasonProgrammed)

	require.NoError(t, e.client.Delete(t.Context(), theirs))
	e.leads(t, 0)
	require.NoError(t, e.client.Delete(t.Context(), e.mesh()))
	e.awaitRoutes(t, 0)
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		err := e.client.Get(ctx, client.ObjectKey{Namespace: e.name, Name: "federator-inventory"}, &corev1.ConfigMap{})
		return errors.IsNotFound(err), client.IgnoreNotFound(err)
	}), "the inventory is the last trace")
}
