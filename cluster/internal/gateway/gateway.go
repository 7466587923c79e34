// Package gateway asks a cluster for a gateway's Service. How its address is made
// of that differs: it must not know which provider made the cluster.
package gateway

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshfed/meshfed/cluster"
)

// Client is for a cluster's API.
func Client(c cluster.Cluster) (kubernetes.Interface, error) {
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// Service is the Service of a gateway, and the port of it that is meant.
func Service(ctx context.Context, c cluster.Cluster, ref cluster.GatewayRef) (*corev1.Service, corev1.ServicePort, error) {
	client, err := Client(c)
	if err != nil {
		return nil, corev1.ServicePort{}, err
	}
	service, err := client.CoreV1().Services(ref.Namespace).Get(ctx, ref.Service, metav1.GetOptions{})
	if err != nil {
		return nil, corev1.ServicePort{}, err
	}
	i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == ref.Port })
	if i < 0 {
		return nil, corev1.ServicePort{}, fmt.Errorf("the service has no port %d", ref.Port)
	}
	return service, service.Spec.Ports[i], nil
}
