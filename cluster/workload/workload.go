// Package workload finds, waits for and reaches into the pods of a cluster
// with nothing but the Kubernetes API, so that every provider gets it for
// free. It knows nothing of meshes or of what the pods run.
package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Ref names a workload: a pod, or the pods that a selector matches.
type Ref struct {
	// Namespace is required.
	Namespace string
	// Selector is a label selector ("app=reviews,version=v2"). Either it or
	// Pod is set; both empty is an error and never "every pod".
	Selector string
	Pod      string
	// Container is the pod's default one if it is empty: the one that the
	// annotation kubectl.kubernetes.io/default-container names, or the first.
	Container string
}

func (r Ref) String() string {
	if r.Pod != "" {
		return fmt.Sprintf("pod %s/%s", r.Namespace, r.Pod)
	}
	return fmt.Sprintf("pods %s in %s", r.Selector, r.Namespace)
}

// ErrNoPod is wrapped by the errors that say that no pod can be used.
var ErrNoPod = errors.New("no pod is ready")

// Client reaches the workloads of one cluster. It is safe for concurrent use.
type Client struct {
	config *rest.Config
	kube   kubernetes.Interface
}

// New makes a client of the cluster that config leads to.
func New(config *rest.Config) (*Client, error) {
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("workload client: %w", err)
	}
	return &Client{config: config, kube: kube}, nil
}

// Kube is the typed client underneath, for what this package does not do.
func (c *Client) Kube() kubernetes.Interface { return c.kube }

// Pods lists the workload's pods that are not being deleted, ready or not, by
// name. None is not an error.
func (c *Client) Pods(ctx context.Context, ref Ref) ([]corev1.Pod, error) {
	options, err := listOptions(ref)
	if err != nil {
		return nil, err
	}
	list, err := c.kube.CoreV1().Pods(ref.Namespace).List(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", ref, err)
	}
	var live []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			live = append(live, p)
		}
	}
	return live, nil
}

func listOptions(ref Ref) (metav1.ListOptions, error) {
	switch {
	case ref.Namespace == "":
		return metav1.ListOptions{}, fmt.Errorf("workload %s: the namespace is empty", ref)
	case ref.Pod != "" && ref.Selector != "":
		return metav1.ListOptions{}, fmt.Errorf("workload %s: a selector (%s) and a pod are both set", ref, ref.Selector)
	case ref.Pod != "":
		return metav1.ListOptions{FieldSelector: "metadata.name=" + ref.Pod}, nil
	case strings.TrimSpace(ref.Selector) == "":
		return metav1.ListOptions{}, fmt.Errorf("workload in %s: neither a selector nor a pod is set", ref.Namespace)
	}
	if _, err := labels.Parse(ref.Selector); err != nil {
		return metav1.ListOptions{}, fmt.Errorf("workload %s: selector: %w", ref, err)
	}
	return metav1.ListOptions{LabelSelector: ref.Selector}, nil
}

// Pick returns one ready pod of the workload, or an error that wraps ErrNoPod
// and says in what state each of its pods is.
func (c *Client) Pick(ctx context.Context, ref Ref) (*corev1.Pod, error) {
	pods, err := c.Pods(ctx, ref)
	if err != nil {
		return nil, err
	}
	for i := range pods {
		if Ready(&pods[i]) {
			return &pods[i], nil
		}
	}
	return nil, fmt.Errorf("%s: %w: %s", ref, ErrNoPod, describeAll(pods))
}

func container(pod *corev1.Pod, ref Ref) (string, error) {
	name := ref.Container
	if name == "" {
		name = pod.Annotations["kubectl.kubernetes.io/default-container"]
	}
	var known []string
	for _, c := range pod.Spec.Containers {
		if c.Name == name {
			return name, nil
		}
		known = append(known, c.Name)
	}
	if name == "" && len(known) > 0 {
		return known[0], nil
	}
	return "", fmt.Errorf("pod %s/%s has no container %q: it has %s", pod.Namespace, pod.Name, name, strings.Join(known, ", "))
}
