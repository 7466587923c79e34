package kind

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/gateway"
)

// member is one cluster of a lab.
type member struct {
	lab    *Lab
	record clusterRecord
}

var _ cluster.Local = (*member)(nil)

func (m *member) Name() string { return m.record.Name }

func (m *member) Kubeconfig() string { return m.lab.path(m.record.Name + ".kubeconfig") }

// OnThisMachine implements cluster.Local: the API server is at an address of
// Docker's network.
func (m *member) OnThisMachine() {}

// Gateway is a port of the node: kind has no load balancer.
func (m *member) Gateway(ctx context.Context, ref cluster.GatewayRef) (cluster.GatewayAddress, error) {
	port, err := m.nodePort(ctx, ref)
	if err != nil {
		return cluster.GatewayAddress{}, fmt.Errorf("cluster %s: %s: %w", m.record.Name, ref, err)
	}
	address := net.JoinHostPort(m.record.Node.String(), strconv.Itoa(int(port)))
	return cluster.GatewayAddress{Peers: address, Harness: address}, nil
}

func (m *member) nodePort(ctx context.Context, ref cluster.GatewayRef) (int32, error) {
	service, port, err := gateway.Service(ctx, m, ref)
	if err != nil {
		return 0, err
	}
	if port.NodePort != 0 {
		return port.NodePort, nil
	}
	return 0, fmt.Errorf("a service of type %s has no port at the node", service.Spec.Type)
}

// LoadImage checks that the node has the image, and loads it if it is the file
// of an archive.
func (m *member) LoadImage(_ context.Context, image string) error {
	if info, err := os.Stat(image); err == nil && info.Mode().IsRegular() {
		return m.load(image)
	}
	if slices.Contains(m.lab.record.Images, image) {
		return nil
	}
	return fmt.Errorf("cluster %s: no image %s; it has %s; an archive is loaded by its path", m.record.Name, image, strings.Join(m.lab.record.Images, ", "))
}

// load loads an archive of images into the node.
func (m *member) load(archive string) error {
	node, err := m.node()
	if err != nil {
		return err
	}
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("load images: %w", err)
	}
	defer f.Close()
	if err := nodeutils.LoadImageArchive(node, f); err != nil {
		return fmt.Errorf("load images: %w", explained(err))
	}
	return nil
}

func (m *member) node() (nodes.Node, error) {
	if err := m.lab.docker().use(networkName(m.lab.name)); err != nil {
		return nil, err
	}
	all, err := library().ListInternalNodes(m.record.Kind)
	if err != nil {
		return nil, fmt.Errorf("nodes of %s: %w", m.record.Kind, err)
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("nodes of %s: %d, want 1", m.record.Kind, len(all))
	}
	return all[0], nil
}
