// Package furnish puts into a fresh cluster what every cluster of a lab has, the
// same on every provider that makes clusters: names (CoreDNS) and a mesh.
//
// It must not know which provider made the cluster.
package furnish

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
)

// servingLimit bounds the wait for the mesh's own pods.
const servingLimit = 2 * time.Minute

// Options say how. All fields are needed.
type Options struct {
	// DNS is the address of the names' Service, as kubelet has it.
	DNS   netip.Addr
	Istio istio.Options
}

// Cluster installs it and returns when all of it is rolled out.
func Cluster(ctx context.Context, cfg *rest.Config, o Options) error {
	g, installing := errgroup.WithContext(ctx)
	g.Go(func() error { return installDNS(installing, cfg, o.DNS) })
	g.Go(func() error { return istio.Install(installing, cfg, o.Istio) })
	if err := g.Wait(); err != nil {
		return err
	}
	return untilServing(ctx, cfg)
}

func untilServing(ctx context.Context, cfg *rest.Config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, servingLimit, fmt.Errorf("not serving within %s", servingLimit))
	defer cancel()
	client, err := workload.New(cfg)
	if err != nil {
		return err
	}
	return client.WaitDeployments(ctx,
		types.NamespacedName{Namespace: "kube-system", Name: "coredns"},
		types.NamespacedName{Namespace: istio.SystemNamespace, Name: "istiod"},
		types.NamespacedName{Namespace: istio.GatewayNamespace, Name: istio.IngressGateway},
		types.NamespacedName{Namespace: istio.GatewayNamespace, Name: istio.EgressGateway})
}
