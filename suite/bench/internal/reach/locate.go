package reach

import (
	"context"
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/steps"
)

// kubeletPort is where every node listens.
const kubeletPort = 10250

// Locate implements steps.Meshes.
func (r *Reach) Locate(ctx context.Context, mesh string, t steps.Target) (string, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return "", err
	}
	find, known := map[steps.Target]func(context.Context, Mesh) (string, error){
		steps.ReviewsPod: reviewsPod, steps.ReviewsService: reviewsService, steps.Node: node, steps.APIServer: apiServer,
	}[t]
	if !known {
		return "", fmt.Errorf("a target %q: want %q, %q, %q or %q", t, steps.ReviewsPod, steps.ReviewsService, steps.Node, steps.APIServer)
	}
	url, err := find(ctx, m)
	if err != nil {
		return "", fmt.Errorf("find %s of %s: %w", t, mesh, err)
	}
	return url, nil
}

func reviews() metav1.ListOptions { return metav1.ListOptions{LabelSelector: "app=reviews"} }

func url(host string, port int, path string) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + path
}

func reviewsPod(ctx context.Context, m Mesh) (string, error) {
	pods, err := m.Pods.Kube().CoreV1().Pods("").List(ctx, reviews())
	if err != nil {
		return "", err
	}
	for _, p := range pods.Items {
		if p.Status.PodIP != "" {
			return url(p.Status.PodIP, 9080, "/reviews/0"), nil
		}
	}
	return "", fmt.Errorf("none of %d pods has an address", len(pods.Items))
}

func reviewsService(ctx context.Context, m Mesh) (string, error) {
	services, err := m.Pods.Kube().CoreV1().Services("").List(ctx, reviews())
	if err != nil {
		return "", err
	}
	for _, s := range services.Items {
		if s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone {
			return url(s.Spec.ClusterIP, 9080, "/reviews/0"), nil
		}
	}
	return "", fmt.Errorf("none of %d services has an address", len(services.Items))
}

func node(ctx context.Context, m Mesh) (string, error) {
	nodes, err := m.Pods.Kube().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, n := range nodes.Items {
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				return url(a.Address, kubeletPort, "/healthz"), nil
			}
		}
	}
	return "", fmt.Errorf("none of %d nodes has an address", len(nodes.Items))
}

// apiServer is the server itself and not the Service in front of it, whose
// address every cluster has and answers itself.
func apiServer(ctx context.Context, m Mesh) (string, error) {
	slices, err := m.Pods.Kube().DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).
		List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=kubernetes"})
	if err != nil {
		return "", err
	}
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			if len(e.Addresses) > 0 && len(s.Ports) > 0 && s.Ports[0].Port != nil {
				return url(e.Addresses[0], int(*s.Ports[0].Port), "/version"), nil
			}
		}
	}
	return "", fmt.Errorf("the service kubernetes has no endpoint")
}
