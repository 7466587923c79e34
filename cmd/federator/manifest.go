package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/deploy"
)

func manifestCommand() *cobra.Command {
	var o deploy.Options
	cmd := &cobra.Command{
		Use:   "manifest --image IMAGE",
		Short: "Print what runs the controller in a cluster, for kubectl apply",
		Long: `Print what runs the controller in a cluster, for kubectl apply.

After an upgrade of federator apply all of it again, not the image alone: the rights
of the controller may have grown.

To take the controller away, delete the declarations first and let it withdraw what
it has made; without it nobody does:

  kubectl delete meshes --all
  kubectl wait --for=delete configmap/federator-inventory -n GATEWAY_NAMESPACE
  federator manifest --image IMAGE | kubectl delete -f -

with the same flags as when it was brought in; GATEWAY_NAMESPACE is --gateway-namespace.

Where it is gone already: federator cancel --controller-gone -f FILE_OR_FOLDER.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			objects, err := deploy.Objects(o)
			if err != nil {
				return err
			}
			for _, object := range objects {
				raw, err := yaml.Marshal(object.Object)
				if err != nil {
					return fmt.Errorf("encode %s %s: %w", object.GetKind(), object.GetName(), err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "---\n%s", raw)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Image, "image", "", "image of the program federator (required)")
	f.StringVar(&o.Namespace, "namespace", "federator-system", "namespace to make for the controller")
	f.StringVar(&o.GatewayNamespace, "gateway-namespace", "istio-private-gateways", "namespace of the private gateways")
	f.StringVar(&o.RootNamespace, "root-namespace", "istio-system", "Istio's root namespace")
	f.StringVar(&o.MeshConfig, "mesh-config", "istio", "name of istiod's ConfigMap in the root namespace")
	f.StringSliceVar(&o.Namespaces, "watch-namespace", nil, "only declarations of these namespaces count, and only there may it write (default: all)")
	f.Int32Var(&o.Replicas, "replicas", 1, "instances; one leads, the others stand by")
	_ = cmd.MarkFlagRequired("image") // cannot fail: the flag was just made
	return cmd
}
