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
	// ofLate is what of a log still says how things are, and logLines the most of it.
	ofLate   = 15 * time.Minute
	logLines = 5000
)

// Log is what the proxy of a pod has logged of late.
func (f *Forward) Log(ctx context.Context, namespace, pod string) ([]byte, error) {
	kube, err := kubernetes.NewForConfig(f.config)
	if err != nil {
		return nil, fmt.Errorf("log of pod %s/%s: %w", namespace, pod, err)
	}
	text, err := kube.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: proxy, SinceSeconds: ptr.To(int64(ofLate.Seconds())), TailLines: ptr.To(int64(logLines)),
	}).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("log of pod %s/%s (it needs the right to get pods/log): %w", namespace, pod, err)
	}
	return text, nil
}
