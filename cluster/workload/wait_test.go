package workload

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

func pod(name string, change ...func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name), Labels: map[string]string{"app": "reviews"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "istio-proxy"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func ready(p *corev1.Pod) {
	p.Status.Phase = corev1.PodRunning
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
}

func terminating(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }

func waiting(p *corev1.Pod) {
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", RestartCount: 3,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 2, Reason: "Error"}},
	}}
}

func deployment(available int32) *appsv1.Deployment {
	one := int32(1)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "reviews-v2", Namespace: "ns", Generation: 2},
		Spec:       appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "reviews"}}},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: available},
	}
}

func clientOf(objects ...runtime.Object) *Client { return &Client{kube: fake.NewClientset(objects...)} }

func TestDescribeSaysWhyAContainerIsNotThere(t *testing.T) {
	p := pod("reviews-x", waiting)
	require.Equal(t, "reviews-x Pending; container app waiting: CrashLoopBackOff: back-off 10s, before that ended with exit code 2 (Error), 3 restarts", Describe(&p))
	p = pod("b", ready, terminating)
	require.Equal(t, "b Running; terminating", Describe(&p))
	p = pod("c", func(p *corev1.Pod) {
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "istio-init", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}}}}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "no nodes"}}
	})
	require.Equal(t, "c Pending; init container istio-init ended with exit code 1 (Error); not scheduled (Unschedulable: no nodes)", Describe(&p))
}

func TestRolledOutNeedsTheLatestTemplateAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*appsv1.Deployment)
		want   bool
	}{
		"all available":          {func(*appsv1.Deployment) {}, true},
		"not yet observed":       {func(d *appsv1.Deployment) { d.Generation = 3 }, false},
		"none available":         {func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 0 }, false},
		"an old replica is left": {func(d *appsv1.Deployment) { d.Status.Replicas = 2 }, false},
		"replicas unset is one":  {func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, true},
		"scaled to zero and gone": {func(d *appsv1.Deployment) {
			*d.Spec.Replicas = 0
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment(1)
			c.change(d)
			require.Equal(t, c.want, RolledOut(d))
		})
	}
}

func TestWaitDeploymentsReturnsWhenTheLastHasRolledOut(t *testing.T) {
	c := clientOf(deployment(0))
	done := make(chan error, 1)
	go func() {
		done <- c.WaitDeployments(t.Context(), types.NamespacedName{Namespace: "ns", Name: "reviews-v2"}, types.NamespacedName{Namespace: "ns", Name: "later"})
	}()
	later := deployment(1)
	later.Name = "later"
	_, err := c.kube.AppsV1().Deployments("ns").Create(t.Context(), later, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.kube.AppsV1().Deployments("ns").UpdateStatus(t.Context(), deployment(1), metav1.UpdateOptions{})
	require.NoError(t, err)
	require.NoError(t, <-done)
}

func TestAWaitThatEndsSaysWhatItSawLast(t *testing.T) {
	p, other := pod("reviews-x", waiting), pod("ratings-x")
	other.Labels = map[string]string{"app": "ratings"}
	c := clientOf(deployment(0), &p, &other)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()

	err := c.WaitDeployments(ctx, types.NamespacedName{Namespace: "ns", Name: "reviews-v2"}, types.NamespacedName{Namespace: "ns", Name: "absent"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "deployment ns/reviews-v2 has not rolled out: 0 of 1 replicas available; reviews-x Pending; container app waiting: CrashLoopBackOff")
	require.ErrorContains(t, err, "deployment ns/absent has not rolled out: it does not exist")
	require.NotContains(t, err.Error(), "ratings-x")
}

func TestACancelledWaitSaysWhoCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	cancel(interrupted)
	require.ErrorIs(t, clientOf().WaitGone(ctx, anyPod), interrupted)
}
