package deploy

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Options say how the controller is deployed. The zero value of each but Image is
// what the seed's clusters have.
type Options struct {
	// Image of the program federator. Required.
	Image string
	// Namespace is made for the controller. Empty: federator-system.
	Namespace string
	// GatewayNamespace holds the private gateways. Empty: istio-private-gateways.
	GatewayNamespace string
	// RootNamespace is Istio's. Empty: istio-system.
	RootNamespace string
	// MeshConfig is the name of istiod's ConfigMap. Empty: istio.
	MeshConfig string
	// Namespaces are those whose declarations count, and the only ones besides the
	// gateways' in which the controller may write. Empty: all.
	Namespaces []string
	// Replicas: one leads, the others stand by. Zero: one.
	Replicas int32
}

func (o Options) complete() (Options, error) {
	for field, to := range map[string]*string{
		"federator-system": &o.Namespace, "istio-private-gateways": &o.GatewayNamespace,
		"istio-system": &o.RootNamespace, "istio": &o.MeshConfig,
	} {
		if *to == "" {
			*to = field
		}
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Image == "" {
		return o, errors.New("deploy: name the controller's image")
	}
	for _, n := range append([]string{o.Namespace, o.GatewayNamespace, o.RootNamespace, o.MeshConfig}, o.Namespaces...) {
		if bad := validation.IsDNS1123Label(n); len(bad) > 0 {
			return o, fmt.Errorf("deploy: %q is no name of a namespace or a ConfigMap: %s", n, bad[0])
		}
	}
	if o.Replicas < 0 {
		return o, fmt.Errorf("deploy: %d replicas", o.Replicas)
	}
	return o, nil
}
