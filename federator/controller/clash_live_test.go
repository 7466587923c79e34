package controller

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

func (s *site) consumption(name, peer, service, path string) *crd.Consumption {
	return &crd.Consumption{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.name}, Spec: api.ConsumptionSpec{
		Service: api.Service{Name: service, Port: 9080}, From: api.From{Peer: peer, Path: path},
		Routes: []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 100}}}}}}
}

// server is a peer that can be called and says what it offers.
func (s *site) server(name string) *crd.Peer {
	host := s.name + "-" + name + ".example.com"
	return &crd.Peer{ObjectMeta: metav1.ObjectMeta{Name: s.name + "-" + name}, Spec: api.PeerSpec{
		ServerIdentity: "spiffe://" + host + "/ingress", SNI: host, Address: &api.Address{Host: "192.0.2.1", Port: 15443}, Offers: []string{"/offered/"}}}
}

func conditionsOf(o client.Object) []metav1.Condition {
	switch v := o.(type) {
	case *crd.Peer:
		return v.Status.Conditions
	case *crd.Exposure:
		return v.Status.Conditions
	case *crd.Consumption:
		return v.Status.Conditions
	}
	return nil
}

// accepted waits for the condition Accepted of a resource to have a reason, for
// the generation that was written last.
func (s *site) accepted(t *testing.T, o client.Object, want crd.Reason) metav1.Condition {
	t.Helper()
	var last metav1.Condition
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return false, err
		}
		c := meta.FindStatusCondition(conditionsOf(o), string(crd.Accepted))
		if c == nil || c.ObservedGeneration != o.GetGeneration() {
			return false, nil
		}
		last = *c
		return c.Reason == string(want), nil
	})
	require.NoError(t, err, "%T %s: want Accepted to be %s; last: %+v", o, o.GetName(), want, last)
	return last
}

// clashing has what is in force and cannot be taken away by what comes later.
func clashing(t *testing.T) *site {
	t.Helper()
	s := liveSite(t)
	require.NoError(t, s.client.Create(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "out", Namespace: s.name},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"istio": s.name + "-out"}, Ports: []corev1.ServicePort{{Port: 443}}}}))
	mesh := s.mesh()
	mesh.Spec.Egress = &api.Gateway{Namespace: s.name, Service: "out", Selector: map[string]string{"istio": s.name + "-out"}, Port: 443, CredentialName: "certs"}
	for _, o := range []client.Object{mesh, s.peer(), s.server("a"), s.server("b"), s.exposure("first", "/first/"), s.consumption("used", s.name+"-a", "remote", "/offered/")} {
		require.NoError(t, s.client.Create(t.Context(), o))
	}
	t.Cleanup(func() {
		// The test's own context is over by the time of its clean-up.
		ctx, cancel := context.WithTimeout(context.Background(), liveLimit)
		defer cancel()
		for _, name := range []string{"a", "b"} {
			assert.NoError(t, client.IgnoreNotFound(s.client.Delete(ctx, s.server(name))))
		}
	})
	s.run(t)
	s.await(t, "first", crd.ReasonProgrammed)
	s.accepted(t, s.consumption("used", "", "", ""), crd.ReasonAccepted)
	s.awaitRoutes(t, 3)
	return s
}

// What clashes with what is in force is refused with a condition of a closed
// reason and an event, and not one object of the others is touched.
func TestEachClashIsRefusedAndNothingElseIsDisturbed(t *testing.T) {
	s := clashing(t)
	before := s.routes(t)
	cases := []struct {
		name string
		// object is made; change, if there is one, edits what stands.
		object client.Object
		change func(*crd.Peer)
		want   crd.Reason
		says   string
	}{
		{"two exposures on one path", s.exposure("same", "/first/"), nil, crd.ReasonPathClaimed, "/first/"},
		{"a prefix below another", s.exposure("below", "/first/deeper/"), nil, crd.ReasonPathClaimed, "overlaps /first/"},
		{"two peers claim one local host", s.consumption("again", s.name+"-b", "remote", "/offered/"), nil, crd.ReasonHostClaimed, "remote"},
		{"a consumption of a path that is not exposed", s.consumption("hidden", s.name+"-a", "other", "/hidden/"), nil, crd.ReasonPathNotOffered, "/hidden/"},
		{"a peer that renames itself", s.peer(), func(p *crd.Peer) { p.Spec.ClientIdentity = "spiffe://another.example.com/egress" }, crd.ReasonIdentityChanged, "another.example.com"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if peer, is := c.object.(*crd.Peer); is {
				require.NoError(t, s.client.Get(t.Context(), client.ObjectKeyFromObject(peer), peer))
				c.change(peer)
				require.NoError(t, s.client.Update(t.Context(), peer))
			} else {
				require.NoError(t, s.client.Create(t.Context(), c.object))
			}
			condition := s.accepted(t, c.object, c.want)
			assert.Equal(t, metav1.ConditionFalse, condition.Status)
			assert.Contains(t, condition.Message, c.says)
			assert.Contains(t, crd.Reasons(), crd.Reason(condition.Reason))
			s.told(t, c.object, c.want)
			s.await(t, "first", crd.ReasonProgrammed)
			assert.Equal(t, before, s.routes(t), "not one route was written")
		})
	}
}

// told waits for the event that says the same as the condition.
func (s *site) told(t *testing.T, o client.Object, want crd.Reason) {
	t.Helper()
	var seen []string
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		var list eventsv1.EventList
		if err := s.client.List(ctx, &list); err != nil {
			return false, err
		}
		seen = nil
		for _, e := range list.Items {
			if e.Regarding.UID == o.GetUID() {
				seen = append(seen, e.Reason)
				if e.Reason == string(want) {
					return true, nil
				}
			}
		}
		return false, nil
	})
	require.NoError(t, err, "no event %s about %s; there are: %q", want, o.GetName(), seen)
}

// SAD PATHS
// A path that would be another one once it is normalised cannot even be declared.
func TestAPathThatNormalisesIntoAnotherIsRefusedByTheAPIServer(t *testing.T) {
	s := liveSite(t)
	for _, path := range []string{"/first//", "/x/../first/", "/./first/", "/%66irst/", "/first%2f", `/x\first/`, "/first", "first/"} {
		assert.Error(t, s.client.Create(t.Context(), s.exposure("odd", path), client.DryRunAll), path)
	}
	assert.NoError(t, s.client.Create(t.Context(), s.exposure("even", "/first/"), client.DryRunAll))
}
