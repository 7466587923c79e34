package controller

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// scripted is an engine that takes everything, but for what it is told.
type scripted struct {
	refuse map[string]federator.Verdict
	fail   error
	// changes that the failure kept from being made; without them it came before
	// anything was decided.
	changes []federator.Change
	wishes  []federator.Spec
	// unreplaced are the verdicts beside a failure that left the mesh before.
	unreplaced map[string]federator.Verdict
	// held is in force when a Mesh is out of reach.
	held federator.Spec
}

func (s *scripted) Converge(_ context.Context, _ string, wish federator.Spec, opts ...federator.ConvergeOption) (federator.Convergence, error) {
	for _, o := range opts {
		if reach, is := o.(federator.Reach); is && wish.Mesh.Name != "" {
			if far := reach(wish.Mesh); len(far) > 0 {
				return s.astray(wish, far), nil
			}
		}
	}
	s.wishes = append(s.wishes, wish)
	if wish.Mesh.Name == "" {
		return federator.Convergence{}, s.fail
	}
	s.held = wish
	out := federator.Convergence{InForce: wish, Verdicts: map[api.Key]federator.Verdict{}}
	if s.fail != nil && s.changes == nil {
		if v, ok := s.unreplaced[wish.Mesh.Key().String()]; ok {
			return federator.Convergence{Verdicts: map[api.Key]federator.Verdict{wish.Mesh.Key(): v}}, s.fail
		}
		return out, s.fail
	}
	out.Plan.Changes = s.changes
	keys := []api.Key{wish.Mesh.Key()}
	for i := range wish.Peers {
		keys = append(keys, wish.Peers[i].Key())
	}
	for i := range wish.Exposures {
		keys = append(keys, wish.Exposures[i].Key())
	}
	for _, k := range keys {
		out.Verdicts[k] = federator.Verdict{Form: federator.FormWhole}
		if v, ok := s.refuse[k.String()]; ok {
			out.Verdicts[k] = v
		}
	}
	return out, s.fail
}

// astray is what the engine says of a Mesh out of reach: with one in force, which
// stays, everything is looked at.
func (s *scripted) astray(wish federator.Spec, far []federator.Problem) federator.Convergence {
	out := federator.Convergence{InForce: s.held, Verdicts: map[api.Key]federator.Verdict{wish.Mesh.Key(): {Form: federator.FormNone, Problems: far}}}
	if s.held.Mesh.Name != "" {
		out.Verdicts[wish.Mesh.Key()] = federator.Verdict{Form: federator.FormEarlier, Problems: far}
		for i := range wish.Exposures {
			out.Verdicts[wish.Exposures[i].Key()] = federator.Verdict{Form: federator.FormWhole}
		}
	}
	return out
}

type bench struct {
	engine  *scripted
	loop    *reconciler
	client  client.Client
	events  *events.FakeRecorder
	patches atomic.Int32
	// onPatch, if set, comes before each status patch and may refuse it.
	onPatch func(context.Context, client.Object) error
}

func at(name, namespace string, seconds int64) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID("uid-of-" + name), Generation: 1, CreationTimestamp: metav1.Unix(seconds, 0)}
}

func mesh(name string, seconds int64) *crd.Mesh {
	return &crd.Mesh{ObjectMeta: at(name, "", seconds), Spec: api.MeshSpec{Host: name + ".example.com",
		Ingress: &api.Gateway{Namespace: "gw", Service: "in", Selector: map[string]string{"a": "b"}, Port: 1, CredentialName: "c"}}}
}

func exposure(name, namespace string, seconds int64) *crd.Exposure {
	return &crd.Exposure{ObjectMeta: at(name, namespace, seconds), Spec: api.ExposureSpec{Path: "/" + name + "/",
		Consumers: []api.Consumer{{Peer: "c1", Methods: []string{"GET"}}}}}
}

func newBench(t *testing.T, o Options, objects ...client.Object) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, crd.AddToScheme(scheme))
	b := &bench{engine: &scripted{}, events: events.NewFakeRecorder(100)}
	objects = append(objects, &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "in-1", Namespace: "gw", Labels: map[string]string{discovery.LabelServiceName: "in"}},
		Endpoints:  []discovery.Endpoint{{Conditions: discovery.EndpointConditions{Ready: ptr.To(true)}}},
	})
	b.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&crd.Mesh{}, &crd.Peer{}, &crd.Exposure{}, &crd.Consumption{}).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			b.patches.Add(1)
			if b.onPatch != nil {
				if err := b.onPatch(ctx, o); err != nil {
					return err
				}
			}
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		}}).Build()
	o.Namespace, o.GatewayNamespace = "federator-system", "gw"
	o, err := o.complete()
	require.NoError(t, err)
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	b.loop = &reconciler{options: o, client: b.client, engine: b.engine, events: b.events, metrics: m}
	return b
}

func (b *bench) reconcile(t *testing.T) (reconcile.Result, error) {
	t.Helper()
	return b.loop.Reconcile(t.Context(), reconcile.Request{})
}

// reason is that of Ready: the state that kubectl shows.
func (b *bench) reason(t *testing.T, o client.Object) string {
	t.Helper()
	require.NoError(t, b.client.Get(t.Context(), client.ObjectKeyFromObject(o), o))
	var conditions []metav1.Condition
	switch v := o.(type) {
	case *crd.Mesh:
		conditions = v.Status.Conditions
	case *crd.Peer:
		conditions = v.Status.Conditions
	case *crd.Exposure:
		conditions = v.Status.Conditions
	}
	c := meta.FindStatusCondition(conditions, string(crd.Ready))
	if c == nil {
		return ""
	}
	assert.Equal(t, o.GetGeneration(), c.ObservedGeneration)
	return c.Reason
}

func TestEachDeclarationIsToldItsState(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("good", "a", 1), exposure("bad", "a", 2),
		&crd.Peer{ObjectMeta: at("c1", "", 1)}, &crd.Peer{ObjectMeta: at("idle", "", 1)})
	b.engine.refuse = map[string]federator.Verdict{"Exposure/a/bad": verdictFor(api.CausePathClaimed, "taken")}
	result, err := b.reconcile(t)
	require.NoError(t, err)
	assert.Equal(t, retryLimit, result.RequeueAfter, "a refusal is looked at again")
	good := exposure("good", "a", 1)
	assert.Equal(t, "Ready", b.reason(t, good))
	assert.Equal(t, "c1", good.Status.Peers)
	assert.Equal(t, "PathClaimed", b.reason(t, exposure("bad", "a", 2)))
	assert.Equal(t, "Ready", b.reason(t, &crd.Peer{ObjectMeta: at("c1", "", 1)}))
	assert.Equal(t, "Unused", b.reason(t, &crd.Peer{ObjectMeta: at("idle", "", 1)}))
	assert.Equal(t, "Ready", b.reason(t, mesh("m", 1)))
	assert.Len(t, b.events.Events, 5, "one event for each state that changed")
}

func TestASecondLookWritesNothing(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("x", "a", 1), &crd.Peer{ObjectMeta: at("c1", "", 1)})
	_, err := b.reconcile(t)
	require.NoError(t, err)
	assert.EqualValues(t, 3, b.patches.Load())
	told := len(b.events.Events)
	result, err := b.reconcile(t)
	require.NoError(t, err)
	assert.EqualValues(t, 3, b.patches.Load())
	assert.Len(t, b.events.Events, told)
	assert.Equal(t, DefaultResync, result.RequeueAfter)
}

func TestTheWishIsInTheOrderOfAgeAndWithoutForeignMetadata(t *testing.T) {
	young, old := exposure("a", "a", 9), exposure("z", "a", 1)
	young.Labels = map[string]string{"x": "y"}
	young.Annotations = map[string]string{"x": "y"}
	b := newBench(t, Options{}, mesh("m", 1), young, old)
	_, err := b.reconcile(t)
	require.NoError(t, err)
	list := b.engine.wishes[0].Exposures
	require.Len(t, list, 2)
	assert.Equal(t, []string{"z", "a"}, []string{list[0].Name, list[1].Name})
	assert.Equal(t, metav1.ObjectMeta{Name: "a", Namespace: "a"}, list[1].ObjectMeta)
}

func TestOfTwoMeshesTheFirstOneCounts(t *testing.T) {
	b := newBench(t, Options{}, mesh("later", 2), mesh("first", 1))
	_, err := b.reconcile(t)
	require.NoError(t, err)
	assert.Equal(t, "first", b.engine.wishes[0].Mesh.Name)
	assert.Equal(t, "SecondMesh", b.reason(t, mesh("later", 2)))
}

func TestWithoutAMeshEverythingIsWithdrawnAndSaysWhy(t *testing.T) {
	b := newBench(t, Options{}, exposure("x", "a", 1))
	_, err := b.reconcile(t)
	require.NoError(t, err)
	assert.Empty(t, b.engine.wishes[0].Mesh.Name)
	assert.Equal(t, "NoMesh", b.reason(t, exposure("x", "a", 1)))
}

// A Mesh elsewhere needs rights that this controller does not have: it must not
// take it for a deleted one and withdraw everything.
func TestAMeshOutOfReachIsRefusedAndNothingIsTouched(t *testing.T) {
	m := mesh("m", 1)
	m.Spec.Ingress.Namespace = "elsewhere"
	b := newBench(t, Options{}, m, exposure("x", "a", 1))
	_, err := b.reconcile(t)
	require.NoError(t, err)
	assert.Empty(t, b.engine.wishes, "the engine has been told that it is out of reach")
	assert.Equal(t, "NamespaceNotManaged", b.reason(t, mesh("m", 1)))
	assert.Equal(t, "NoMesh", b.reason(t, exposure("x", "a", 1)))
}

// An edit of the Mesh that its controller cannot follow takes nobody out: the states
// say who is admitted, and by which gateway.
func TestAMeshThatGoesOutOfReachLeavesItsStatesTrue(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("x", "a", 1))
	_, err := b.reconcile(t)
	require.NoError(t, err)
	m, x := mesh("m", 1), exposure("x", "a", 1)
	require.Equal(t, "Ready", b.reason(t, m))
	m.Spec.Ingress.Namespace, m.Spec.ControlPlane.Revision = "elsewhere", "next"
	require.NoError(t, b.client.Update(t.Context(), m))
	_, err = b.reconcile(t)
	require.NoError(t, err)
	assert.Equal(t, "NamespaceNotManaged", b.reason(t, m))
	assert.EqualValues(t, 1, *m.Status.Exposures)
	message := meta.FindStatusCondition(m.Status.Conditions, string(crd.Ready)).Message
	assert.Equal(t, "spec.ingress.namespace: it is elsewhere; this controller looks after the gateways of gw; "+
		"spec.controlPlane.revision: it needs the ConfigMap istio-next; this controller knows istio; the version before stays in force", message)
	assert.Equal(t, "Ready", b.reason(t, x))
	assert.Equal(t, "c1", x.Status.Peers)
}

func TestDeclarationsOfOtherNamespacesDoNotCount(t *testing.T) {
	b := newBench(t, Options{Namespaces: []string{"a"}}, mesh("m", 1), exposure("x", "a", 1), exposure("y", "b", 1))
	_, err := b.reconcile(t)
	require.NoError(t, err)
	assert.Len(t, b.engine.wishes[0].Exposures, 1)
	assert.Equal(t, "NamespaceNotManaged", b.reason(t, exposure("y", "b", 1)))
}

// That the API server is away takes nothing out of force, and says nothing about
// what nothing was decided about.
func TestAnErrorOfTheClusterLeavesTheStatesAsTheyWere(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("x", "a", 1))
	_, err := b.reconcile(t)
	require.NoError(t, err)
	b.engine.fail = errors.New("connection refused")
	_, err = b.reconcile(t)
	require.ErrorContains(t, err, "connection refused")
	assert.Equal(t, "Ready", b.reason(t, exposure("x", "a", 1)))
	assert.EqualValues(t, 2, b.patches.Load())
}

// A failed write leaves in force what needed none. Whatever was to be changed is
// not as it is declared, whoever was told so before.
func TestAFailedWriteContradictsWhatWasProgrammedBefore(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("mended", "a", 1), exposure("narrowed", "a", 1), exposure("still", "a", 1), &crd.Peer{ObjectMeta: at("c1", "", 1)})
	_, err := b.reconcile(t)
	require.NoError(t, err)
	b.engine.fail = errors.New("connection refused")
	b.engine.changes = []federator.Change{
		{Action: federator.ActionCreate, DeclaredBy: []string{"Exposure/a/mended"}},
		{Action: federator.ActionUnchanged, DeclaredBy: []string{"Exposure/a/still"}},
	}
	b.engine.refuse = map[string]federator.Verdict{
		"Exposure/a/narrowed": {Form: federator.FormPart, Problems: []federator.Problem{{Cause: api.CausePeerNotFound, Reason: "gone"}}},
		"Mesh/m":              {Form: federator.FormWhole, Problems: []federator.Problem{{Cause: api.CauseNotWithdrawn, Reason: "denied"}}},
	}
	for range 2 {
		_, err = b.reconcile(t)
		require.Error(t, err)
		assert.Equal(t, "WriteFailed", b.reason(t, exposure("mended", "a", 1)))
		assert.Equal(t, "WriteFailed", b.reason(t, exposure("narrowed", "a", 1)))
		assert.Equal(t, "NotWithdrawn", b.reason(t, mesh("m", 1)))
		assert.Equal(t, "Ready", b.reason(t, exposure("still", "a", 1)))
		assert.Equal(t, "Ready", b.reason(t, &crd.Peer{ObjectMeta: at("c1", "", 1)}))
	}
}

// That there is no Mesh, or that it has to wait for the one before, is known whatever
// could not be deleted: nobody is left to believe in what is being withdrawn.
func TestAMeshThatIsGoneIsToldThoughSomethingCannotBeDeleted(t *testing.T) {
	for name, row := range map[string]struct {
		declared []client.Object
		refuse   map[string]federator.Verdict
		want     string
	}{
		"deleted":  {nil, nil, "no Mesh is declared; state this side's gateways in one; what was in force may be so still: delete x: denied"},
		"replaced": {[]client.Object{mesh("next", 2)}, map[string]federator.Verdict{"Mesh/next": verdictFor(api.CauseNotWithdrawn, "mesh m is not withdrawn: denied")}, "Mesh next is not accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{}, append(row.declared, mesh("m", 1), exposure("x", "a", 1), &crd.Peer{ObjectMeta: at("c1", "", 1)})...)
			_, err := b.reconcile(t)
			require.NoError(t, err)
			x := exposure("x", "a", 1)
			require.Equal(t, "Ready", b.reason(t, x))
			require.NoError(t, b.client.Delete(t.Context(), mesh("m", 1)))
			b.engine.fail, b.engine.unreplaced = errors.New("delete x: denied"), row.refuse
			for range 2 {
				_, err = b.reconcile(t)
				require.ErrorContains(t, err, "denied")
				assert.Equal(t, "NoMesh", b.reason(t, x))
				assert.Equal(t, row.want, meta.FindStatusCondition(x.Status.Conditions, string(crd.Ready)).Message)
				assert.Equal(t, "NoMesh", b.reason(t, &crd.Peer{ObjectMeta: at("c1", "", 1)}))
				for _, m := range row.declared {
					assert.Equal(t, "NotWithdrawn", b.reason(t, m))
				}
			}
		})
	}
}

// An error that may pass hides nothing: all has been judged, and only the next look is
// to come soon.
func TestAPassingErrorLeavesTheStatesTrue(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("new", "a", 1), exposure("away", "a", 1))
	b.engine.fail = &federator.PassingError{Errs: []error{errors.New("the webhook is away")}}
	b.engine.changes = []federator.Change{{Action: federator.ActionCreate, DeclaredBy: []string{"Exposure/a/new"}}}
	b.engine.refuse = map[string]federator.Verdict{"Exposure/a/away": verdictFor(api.CauseConflict, "it cannot be rehearsed")}
	_, err := b.reconcile(t)
	require.ErrorContains(t, err, "the webhook is away")
	x, m := exposure("new", "a", 1), mesh("m", 1)
	assert.Equal(t, "Ready", b.reason(t, x))
	assert.Equal(t, "c1", x.Status.Peers)
	assert.Equal(t, "Conflict", b.reason(t, exposure("away", "a", 1)))
	assert.Equal(t, "Ready", b.reason(t, m))
	assert.EqualValues(t, 2, *m.Status.Exposures)
}

// SAD PATHS
func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	good := Options{Namespace: "federator-system", GatewayNamespace: "gw"}
	cases := map[string]struct {
		change func(*Options)
		want   string
	}{
		"no namespace":          {func(o *Options) { o.Namespace = "" }, `the namespace ""`},
		"no gateways":           {func(o *Options) { o.GatewayNamespace = "" }, `the gateway namespace ""`},
		"odd declarations":      {func(o *Options) { o.Namespaces = []string{"*"} }, `the namespace "*"`},
		"leader without a name": {func(o *Options) { o.LeaderElection = true }, "needs an identity"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := good
			c.change(&o)
			_, err := o.complete()
			require.ErrorContains(t, err, c.want)
		})
	}
	o, err := good.complete()
	require.NoError(t, err)
	assert.Equal(t, 10*time.Minute, o.Resync)
	assert.Equal(t, "istio-system", o.RootNamespace)
}
