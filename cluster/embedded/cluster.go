package embedded

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
	"github.com/meshfed/meshfed/cluster/internal/addr"
	"github.com/meshfed/meshfed/cluster/internal/gateway"
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
	svc, port, err := gateway.Service(ctx, n, ref)
	if err != nil {
		return "", err
	}
	if ingress := svc.Status.LoadBalancer.Ingress; len(ingress) > 0 {
		return net.JoinHostPort(ingress[0].IP, strconv.Itoa(int(ref.Port))), nil
	}
	if port.NodePort != 0 {
		plan, err := addr.PlanOf(n.index)
		if err != nil {
			return "", err
		}
		return net.JoinHostPort(plan.Node.String(), strconv.Itoa(int(port.NodePort))), nil
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
