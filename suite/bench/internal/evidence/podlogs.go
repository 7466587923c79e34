package evidence

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/meshfed/meshfed/cluster/workload"
)

// podLogBytes is how much of one container's log is kept, its end.
const podLogBytes = 256 << 10

// podLogs is what every container but those of Kubernetes itself has said
// since the scenario began. A container whose log cannot be had is named with
// the reason: it may be the one that matters.
func (c Collector) podLogs(pods *workload.Client) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		list, err := pods.Kube().CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("list pods: %w", err)
		}
		var out bytes.Buffer
		since := metav1.NewTime(c.Since)
		for _, pod := range list.Items {
			if pod.Namespace == metav1.NamespaceSystem {
				continue
			}
			for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
				fmt.Fprintf(&out, "--- %s/%s %s (%s)\n", pod.Namespace, pod.Name, container.Name, pod.Status.Phase)
				text, err := pods.Kube().CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
					Container: container.Name, SinceTime: &since, TailLines: ptr.To[int64](2000),
				}).DoRaw(ctx)
				if err != nil {
					fmt.Fprintf(&out, "not to be had: %v\n", err)
					continue
				}
				out.Write(text[max(0, len(text)-podLogBytes):])
			}
		}
		return out.Bytes(), nil
	}
}
