package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/meshfed/meshfed/federator/controller"
)

// podName is the variable by which the manifest tells a Pod its name: an identity
// that outlasts a restart of the container.
const podName = "POD_NAME"

func controllerCommand() *cobra.Command {
	var c connection
	var o controller.Options
	cmd := &cobra.Command{
		Use:   "controller",
		Short: "Keep one cluster as its Mesh, Peers, Exposures and Consumptions say",
		Long: `Keep one cluster as its Mesh, Peers, Exposures and Consumptions say.

It runs in the cluster (see federator manifest), or anywhere with a kubeconfig.
The definitions must be there first (federator crds).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			if o.Identity, err = identity(); err != nil {
				return err
			}
			o.Log = logr.FromSlogHandler(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
			log.SetLogger(o.Log)
			klog.SetLogger(o.Log)
			return controller.Run(cmd.Context(), cfg, o)
		},
	}
	c.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Namespace, "namespace", "federator-system", "the controller's own namespace, for its lease")
	f.StringVar(&o.GatewayNamespace, "gateway-namespace", "istio-private-gateways", "namespace of the private gateways and of the inventory")
	f.StringVar(&o.RootNamespace, "root-namespace", "istio-system", "Istio's root namespace")
	f.StringVar(&o.MeshConfig, "mesh-config", "istio", "name of istiod's ConfigMap in the root namespace")
	f.StringSliceVar(&o.Namespaces, "watch-namespace", nil, "only declarations of these namespaces count (default: of all)")
	f.BoolVar(&o.LeaderElection, "leader-elect", true, "stand by while another instance leads")
	f.StringVar(&o.MetricsAddress, "metrics-address", ":8080", "where Prometheus metrics are served; empty: nowhere")
	f.StringVar(&o.ProbeAddress, "probe-address", ":8081", "where /healthz and /readyz are served; empty: nowhere")
	f.DurationVar(&o.Resync, "resync", controller.DefaultResync, "look at everything at least this often")
	return cmd
}

// identity is the Pod's name, or for an instance run by hand one of its own.
func identity() (string, error) {
	if name := os.Getenv(podName); name != "" {
		return name, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("identity of this instance: %w; set %s", err, podName)
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid()), nil
}
