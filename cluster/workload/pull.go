package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/meshfed/meshfed/cluster"
)

// ErrNoImage means that a node lacks an image that no registry has: kubelet
// would ask for it for ever.
var ErrNoImage = errors.New("the node does not have the image, and no registry has one of that name")

func local(spec *corev1.PodSpec) bool {
	return slices.ContainsFunc(spec.Containers, func(c corev1.Container) bool { return strings.HasPrefix(c.Image, cluster.LocalImages) })
}

// watchPulls ends the wait for a deployment whose pods cannot have their image.
// What cannot be watched is not told: the wait has a limit of its own.
func (c *Client) watchPulls(ctx context.Context, d *appsv1.Deployment, giveUp context.CancelCauseFunc) {
	ref := Ref{Namespace: d.Namespace}
	options := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)}
	_, _ = watchtools.UntilWithSync(ctx, c.podWatcher(ref, options), &corev1.Pod{}, nil, func(e watch.Event) (bool, error) {
		pod, is := e.Object.(*corev1.Pod)
		if !is || e.Type == watch.Deleted {
			return false, nil
		}
		err := unpullable(pod)
		if err != nil {
			giveUp(err)
		}
		return err != nil, nil
	})
}

// unpullable is about the first container that waits for an image in vain.
func unpullable(pod *corev1.Pod) error {
	for _, s := range pod.Status.ContainerStatuses {
		waits := s.State.Waiting
		if waits == nil || !strings.HasPrefix(s.Image, cluster.LocalImages) {
			continue
		}
		switch waits.Reason {
		case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull":
			return fmt.Errorf("image %s of pod %s/%s: %w", s.Image, pod.Namespace, pod.Name, ErrNoImage)
		}
	}
	return nil
}
