package evidence

import (
	"bytes"
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
)

// logSuffix ends the names of the files with access logs.
const logSuffix = "-log.txt"

func (c Collector) items(one cluster.Cluster) ([]item, error) {
	config, err := cluster.RESTConfig(one)
	if err != nil {
		return nil, err
	}
	pods, err := workload.New(config)
	if err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	istiod := workload.Ref{Namespace: istio.SystemNamespace, Selector: "app=istiod"}
	items := []item{
		{one.Name() + "-objects.yaml", func(ctx context.Context) ([]byte, error) { return c.dump(ctx, objects) }},
		{one.Name() + "-syncz.json", output(pods, istiod, "pilot-discovery", "request", "GET", "/debug/syncz")},
		{one.Name() + "-pod-logs.txt", c.podLogs(pods.Kube())},
	}
	for _, name := range []string{istio.IngressGateway, istio.EgressGateway} {
		gateway := workload.Ref{Namespace: istio.GatewayNamespace, Selector: "app=" + name}
		prefix := one.Name() + "-" + name
		items = append(items,
			item{prefix + "-config.json", output(pods, gateway, "pilot-agent", "request", "GET", "config_dump")},
			item{prefix + logSuffix, c.logs(pods, gateway)})
	}
	return items, nil
}

// output is what a command in a workload prints.
func output(pods *workload.Client, ref workload.Ref, command ...string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		var out, errs bytes.Buffer
		code, err := pods.Exec(ctx, ref, command, cluster.Streams{Out: &out, Err: &errs})
		if err != nil {
			return nil, err
		}
		if code != 0 {
			return nil, fmt.Errorf("%q in %s: exit code %d: %s", command, ref, code, bytes.TrimSpace(errs.Bytes()))
		}
		return out.Bytes(), nil
	}
}

// logs are the access log lines since the scenario began. Scenarios run one
// after another, so that they are this scenario's and nobody else's.
func (c Collector) logs(pods *workload.Client, ref workload.Ref) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		pod, err := pods.Pick(ctx, ref)
		if err != nil {
			return nil, err
		}
		return pods.Log(ctx, pod, istio.ProxyContainer, c.Since)
	}
}

// dump is every Istio object and Service, as YAML documents without the noise
// of managed fields.
func (c Collector) dump(ctx context.Context, client dynamic.Interface) ([]byte, error) {
	var out bytes.Buffer
	for _, kind := range dumped() {
		for _, place := range c.places() {
			list, err := client.Resource(kind).Namespace(place).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", kind.GroupResource(), err)
			}
			for i := range list.Items {
				if err := document(&out, &list.Items[i]); err != nil {
					return nil, err
				}
			}
		}
	}
	return out.Bytes(), nil
}

func document(out *bytes.Buffer, object *unstructured.Unstructured) error {
	object.SetManagedFields(nil)
	text, err := yaml.Marshal(object)
	if err != nil {
		return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
	}
	out.WriteString("---\n")
	out.Write(text)
	return nil
}

func dumped() []schema.GroupVersionResource {
	networking := schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}
	security := schema.GroupVersion{Group: "security.istio.io", Version: "v1"}
	return []schema.GroupVersionResource{
		{Version: "v1", Resource: "services"},
		networking.WithResource("gateways"), networking.WithResource("virtualservices"),
		networking.WithResource("destinationrules"), networking.WithResource("serviceentries"),
		networking.WithResource("sidecars"),
		{Group: "networking.istio.io", Version: "v1alpha3", Resource: "envoyfilters"},
		security.WithResource("authorizationpolicies"), security.WithResource("peerauthentications"),
	}
}
