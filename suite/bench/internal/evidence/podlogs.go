package evidence

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// podLogBytes is how much of one container's log is kept, its end.
const podLogBytes = 256 << 10

// podLogs is what every container but those of Kubernetes itself has said
// since the scenario began. A container whose log cannot be had is named with
// the reason: it may be the one that matters.
func (c Collector) podLogs(kube kubernetes.Interface) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		var out bytes.Buffer
		for _, place := range c.places() {
			list, err := kube.CoreV1().Pods(place).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("list pods: %w", err)
			}
			for i := range list.Items {
				if list.Items[i].Namespace != metav1.NamespaceSystem {
					c.podLog(ctx, kube, &list.Items[i], &out)
				}
			}
		}
		return out.Bytes(), nil
	}
}

func (c Collector) podLog(ctx context.Context, kube kubernetes.Interface, pod *corev1.Pod, out *bytes.Buffer) {
	since := metav1.NewTime(c.Since)
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		fmt.Fprintf(out, "--- %s/%s %s (%s)\n", pod.Namespace, pod.Name, container.Name, pod.Status.Phase)
		text, err := kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
			Container: container.Name, SinceTime: &since, TailLines: ptr.To[int64](2000),
		}).DoRaw(ctx)
		if err != nil {
			fmt.Fprintf(out, "not to be had: %v\n", err)
			continue
		}
		out.Write(text[max(0, len(text)-podLogBytes):])
	}
}
