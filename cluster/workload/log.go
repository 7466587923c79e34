package workload

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Log is what a container of a pod has said since then. The API server counts in
// whole seconds: what was said up to one second before may be in it.
func (c *Client) Log(ctx context.Context, pod *corev1.Pod, container string, since time.Time) ([]byte, error) {
	from := metav1.NewTime(since)
	text, err := c.kube.CoreV1().Pods(pod.Namespace).
		GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, SinceTime: &from}).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("log of %s in pod %s/%s: %w", container, pod.Namespace, pod.Name, err)
	}
	return text, nil
}
