package admin

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// envoyPort is where the Envoys of Istio have their admin interface, on the
// pod's loopback.
const envoyPort = 15000

// configDump asks for the addresses behind the clusters, too.
const configDump = "/config_dump?include_eds"

// counted asks for what was counted at each address.
const counted = "/clusters?format=json"

// Getter asks a port of a pod, and for its proxy's log of late; *Forward is one.
type Getter interface {
	Get(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error)
	Log(ctx context.Context, namespace, pod string) ([]byte, error)
}

// Pod is one pod of a gateway.
type Pod struct {
	Name string
	// Port on which it gets what comes to the gateway's declared port.
	Port   int
	Config envoy.Config
}

// Read looks into every ready pod of a gateway. None is no error: what that
// means is the caller's to say.
func Read(ctx context.Context, c kube.Client, from Getter, g api.Gateway) ([]Pod, error) {
	list, err := c.List(ctx, "v1", "Pod", g.Namespace)
	if err != nil {
		return nil, err
	}
	service, err := c.Get(ctx, kube.Ref{APIVersion: "v1", Kind: "Service", Namespace: g.Namespace, Name: g.Service})
	if err != nil {
		return nil, err
	}
	var out []Pod
	for i := range list {
		var pod corev1.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list[i].Object, &pod); err != nil {
			return nil, fmt.Errorf("read pod %s/%s: %w", g.Namespace, list[i].GetName(), err)
		}
		if serves(pod, g) {
			out = append(out, Pod{Name: pod.Name, Port: targetPort(service, pod, g.Port)})
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	for i := range out {
		all.Go(func() error {
			raw, err := from.Get(ctx, g.Namespace, out[i].Name, envoyPort, configDump)
			if err != nil {
				return err
			}
			out[i].Config, err = envoy.Parse(raw)
			return err
		})
	}
	return out, all.Wait()
}

// Listen adds to the configuration of pods what their Envoys have counted and
// logged of late about the addresses that they use.
func Listen(ctx context.Context, from Getter, g api.Gateway, pods []Pod) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, p := range pods {
		all.Go(func() error {
			raw, err := from.Get(ctx, g.Namespace, p.Name, envoyPort, counted)
			if err != nil {
				return err
			}
			if err := p.Config.Count(raw); err != nil {
				return err
			}
			log, err := from.Log(ctx, g.Namespace, p.Name)
			if err == nil {
				p.Config.Hear(log)
			}
			return err
		})
	}
	return all.Wait()
}

// serves says whether a pod is one of the gateway's and takes traffic.
func serves(pod corev1.Pod, g api.Gateway) bool {
	for key, value := range g.Selector {
		if pod.Labels[key] != value {
			return false
		}
	}
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// targetPort is where the Service sends what comes to its port; the port itself
// when the Service does not say.
func targetPort(service *unstructured.Unstructured, pod corev1.Pod, port int32) int {
	var s corev1.Service
	if service == nil || runtime.DefaultUnstructuredConverter.FromUnstructured(service.Object, &s) != nil {
		return int(port)
	}
	for _, p := range s.Spec.Ports {
		switch {
		case p.Port != port:
		case p.TargetPort.Type == intstr.Int && p.TargetPort.IntVal != 0:
			return int(p.TargetPort.IntVal)
		case p.TargetPort.Type == intstr.String:
			return named(pod, p.TargetPort.StrVal, port)
		}
	}
	return int(port)
}

func named(pod corev1.Pod, name string, otherwise int32) int {
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return int(p.ContainerPort)
			}
		}
	}
	return int(otherwise)
}
