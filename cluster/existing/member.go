package existing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/gateway"
)

// member is one cluster.
type member struct {
	name, kubeconfig string
	// gateway is the address that was given; nil asks the Service.
	gateway *cluster.GatewayAddress
	// images are those that the clusters may have under other names.
	images []Image
}

var _ cluster.Namer = (*member)(nil)

func (m *member) Name() string { return m.name }

func (m *member) Kubeconfig() string { return m.kubeconfig }

// LoadImage has nothing to do: existing clusters pull, or their owner has put
// the image on the nodes; see Image.
func (m *member) LoadImage(context.Context, string) error { return nil }

func (m *member) Gateway(ctx context.Context, ref cluster.GatewayRef) (cluster.GatewayAddress, error) {
	if m.gateway != nil {
		return *m.gateway, nil
	}
	address, err := m.ask(ctx, ref)
	if err != nil {
		return cluster.GatewayAddress{}, fmt.Errorf("cluster %s: %s: %w; say where it is reached: --gateway %s=HOST:PORT", m.name, ref, err, m.name)
	}
	return cluster.GatewayAddress{Peers: address, Harness: address}, nil
}

func (m *member) ask(ctx context.Context, ref cluster.GatewayRef) (string, error) {
	service, port, err := gateway.Service(ctx, m, ref)
	if err != nil {
		return "", err
	}
	if address := balanced(service, ref.Port); address != "" {
		return address, nil
	}
	if port.NodePort == 0 {
		return "", fmt.Errorf("a service of type %s without an address outside the cluster", service.Spec.Type)
	}
	kube, err := gateway.Client(m)
	if err != nil {
		return "", err
	}
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	return onNode(nodes.Items, port.NodePort)
}

// balanced is the load balancer's address; empty if it has none.
func balanced(service *corev1.Service, port int32) string {
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if host := cmp.Or(ingress.IP, ingress.Hostname); host != "" {
			return net.JoinHostPort(host, strconv.Itoa(int(port)))
		}
	}
	return ""
}

// onNode prefers an address that the node's owner calls external.
func onNode(nodes []corev1.Node, port int32) (string, error) {
	for _, kind := range []corev1.NodeAddressType{corev1.NodeExternalIP, corev1.NodeInternalIP} {
		for _, n := range nodes {
			for _, a := range n.Status.Addresses {
				if a.Type == kind {
					return net.JoinHostPort(a.Address, strconv.Itoa(int(port))), nil
				}
			}
		}
	}
	return "", errors.New("no node has an address")
}
