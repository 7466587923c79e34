package workload

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pulling is a pod, and a deployment of it, that waits for its image.
func pulling(image, why string) *Client {
	d := deployment(0)
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: image}}
	p := pod("reviews-x", func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", Image: image, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: why}}}}
	})
	return clientOf(d, &p)
}

func TestAnImageThatNoRegistryHasIsNotWaitedFor(t *testing.T) {
	for _, why := range []string{"ErrImagePull", "ImagePullBackOff"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err := pulling("meshfed.local/bookinfo:dev", why).WaitDeployments(ctx, types.NamespacedName{Namespace: "ns", Name: "reviews-v2"})
		require.ErrorIs(t, err, ErrNoImage)
		require.ErrorContains(t, err, "image meshfed.local/bookinfo:dev of pod ns/reviews-x")
		require.NoError(t, ctx.Err(), "at once")
	}
}

// A registry may be slow, or refuse for a while.
func TestAnImageThatMayComeIsWaitedFor(t *testing.T) {
	for image, why := range map[string]string{
		"registry.example.com/bookinfo:dev": "ErrImagePull",
		"meshfed.local/bookinfo:dev":        "ContainerCreating",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		err := pulling(image, why).WaitDeployments(ctx, types.NamespacedName{Namespace: "ns", Name: "reviews-v2"})
		require.ErrorIs(t, err, context.DeadlineExceeded, image)
		require.NotErrorIs(t, err, ErrNoImage, image)
	}
}
