package embedded

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
	"github.com/meshfed/meshfed/cluster/internal/addr"
)

// member is one cluster of a lab, as the harness sees it.
type member struct {
	lab   *Lab
	index int
	name  string
}

var _ cluster.Cluster = (*member)(nil)

func (n *member) Name() string { return n.name }

func (n *member) Kubeconfig() string { return n.lab.path(n.name + ".kubeconfig") }

func (n *member) Gateway(ctx context.Context, ref cluster.GatewayRef) (cluster.GatewayAddress, error) {
	peers, err := n.serviceAddress(ctx, ref)
	if err != nil {
		return cluster.GatewayAddress{}, fmt.Errorf("cluster %s: %s: %w", n.name, ref, err)
	}
	harness, err := n.lab.forward(ctx, peers)
	if err != nil {
		return cluster.GatewayAddress{}, fmt.Errorf("cluster %s: %s: %w", n.name, ref, err)
	}
	return cluster.GatewayAddress{Peers: peers, Harness: harness}, nil
}

func (n *member) serviceAddress(ctx context.Context, ref cluster.GatewayRef) (string, error) {
	cfg, err := cluster.RESTConfig(n)
	if err != nil {
		return "", err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return "", err
	}
	svc, err := client.CoreV1().Services(ref.Namespace).Get(ctx, ref.Service, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == ref.Port })
	if i < 0 {
		return "", fmt.Errorf("the service has no port %d", ref.Port)
	}
	if ingress := svc.Status.LoadBalancer.Ingress; len(ingress) > 0 {
		return net.JoinHostPort(ingress[0].IP, strconv.Itoa(int(ref.Port))), nil
	}
	if port := svc.Spec.Ports[i].NodePort; port != 0 {
		plan, err := addr.PlanOf(n.index)
		if err != nil {
			return "", err
		}
		return net.JoinHostPort(plan.Node.String(), strconv.Itoa(int(port))), nil
	}
	return "", fmt.Errorf("a service of type %s has no address outside the cluster", svc.Spec.Type)
}

// LoadImage checks that the runtime knows the image: every image of the lab is
// a folder that was made before the lab started.
func (n *member) LoadImage(_ context.Context, ref string) error {
	store, err := image.OpenDir(n.lab.imagesLink())
	if err != nil {
		return err
	}
	_, err = store.Resolve(ref)
	return err
}
