package admin

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

const (
	// proxy is the container of a gateway's Envoy.
	proxy = "istio-proxy"
	// recent: older lines of a log are not read, they say how things were. logLines
	// are read at most.
	recent   = 15 * time.Minute
	logLines = 5000
)

// Log is what the proxy of a pod has logged recently.
func (f *Forward) Log(ctx context.Context, namespace, pod string) ([]byte, error) {
	kube, err := kubernetes.NewForConfig(f.config)
	if err != nil {
		return nil, fmt.Errorf("log of pod %s/%s: %w", namespace, pod, err)
	}
	text, err := kube.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: proxy, SinceSeconds: ptr.To(int64(recent.Seconds())), TailLines: ptr.To(int64(logLines)),
	}).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("log of pod %s/%s (it needs the right to get pods/log): %w", namespace, pod, err)
	}
	return text, nil
}
