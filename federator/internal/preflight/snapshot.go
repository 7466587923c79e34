package preflight

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// The API versions read.
const (
	networkingVersion = "networking.istio.io/v1"
	securityVersion   = "security.istio.io/v1"
)

// parallel bounds concurrent reads.
const parallel = 8

// snapshot is all that the checks look at.
type snapshot struct {
	mu         sync.Mutex
	meshConfig *unstructured.Unstructured
	// meshConfigUnread is what the API server says when the right to read it is missing.
	meshConfigUnread error

	services        map[render.Name]*unstructured.Unstructured
	secretKeys      map[render.Name][]string       // nil value: no such Secret
	pods            map[string][]map[string]string // labels of those of a gateway's namespace
	rules           []unstructured.Unstructured
	virtualServices []unstructured.Unstructured
	gateways        []unstructured.Unstructured
	policies        []unstructured.Unstructured
	// unread are the namespaces of declarations in which a right is missing, with
	// what the API server says.
	unread map[string]error
}

// read takes the snapshot. VirtualServices and Gateways are read in all
// namespaces, because those of any namespace can claim a host or a gateway.
func read(ctx context.Context, c kube.Client, spec api.Spec, o Options) (*snapshot, error) {
	s := &snapshot{services: map[render.Name]*unstructured.Unstructured{}, secretKeys: map[render.Name][]string{},
		pods: map[string][]map[string]string{}, unread: map[string]error{}}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	if needsMeshConfig(spec) {
		g.Go(func() error { return s.readMeshConfig(ctx, c, spec) })
	}
	for _, ns := range namespaces(spec) {
		g.Go(func() error { return s.readNamespace(ctx, c, spec, ns) })
	}
	for _, gw := range gateways(spec) {
		g.Go(func() error { return s.readPods(ctx, c, gw.Namespace) })
		for _, name := range gw.credentials {
			if !o.SecretsUnread {
				g.Go(func() error { return s.readSecrets(ctx, c, gw.Namespace, name) })
			}
		}
	}
	s.readBoundary(ctx, c, spec, g)
	return s, g.Wait()
}

// readBoundary lists what can open a gateway.
func (s *snapshot) readBoundary(ctx context.Context, c kube.Client, spec api.Spec, g *errgroup.Group) {
	list := func(version, kind, namespace string, into *[]unstructured.Unstructured) error {
		items, err := c.List(ctx, version, kind, namespace)
		s.mu.Lock()
		defer s.mu.Unlock()
		*into = append(*into, items...)
		return err
	}
	inUse := policyNamespaces(spec)
	for _, ns := range inUse {
		g.Go(func() error { return list(securityVersion, "AuthorizationPolicy", ns, &s.policies) })
	}
	for _, gw := range []*api.Gateway{spec.Mesh.Spec.Ingress, spec.Mesh.Spec.Egress} {
		if gw == nil || slices.Contains(inUse, gw.Namespace) {
			continue
		}
		// Nothing is declared for it, and something of before may be left there. Whoever
		// has no right to look has no need to.
		inUse = append(inUse, gw.Namespace)
		g.Go(func() error {
			if err := list(securityVersion, "AuthorizationPolicy", gw.Namespace, &s.policies); !apierrors.IsForbidden(err) {
				return err
			}
			return nil
		})
	}
	g.Go(func() error { return list(networkingVersion, "VirtualService", "", &s.virtualServices) })
	g.Go(func() error { return list(networkingVersion, "Gateway", "", &s.gateways) })
}

// readMeshConfig takes a missing right for a fault of the cluster, which lets nothing
// new in: it must not end the look, and with it what others withdraw.
func (s *snapshot) readMeshConfig(ctx context.Context, c kube.Client, spec api.Spec) (err error) {
	s.meshConfig, err = c.Get(ctx, meshConfigRef(spec))
	if apierrors.IsForbidden(err) {
		s.meshConfigUnread = err
		return nil
	}
	return err
}

// readNamespace reads the Services of a namespace and their subsets. That a right
// is missing there is a matter of its declarations alone, unless it is that of a
// gateway: one namespace must not hold up what others withdraw.
func (s *snapshot) readNamespace(ctx context.Context, c kube.Client, spec api.Spec, namespace string) error {
	services, err := c.List(ctx, "v1", "Service", namespace)
	var rules []unstructured.Unstructured
	if err == nil {
		rules, err = c.List(ctx, networkingVersion, "DestinationRule", namespace)
	}
	ofGateway := slices.ContainsFunc(gateways(spec), func(g side) bool { return g.Namespace == namespace })
	s.mu.Lock()
	defer s.mu.Unlock()
	if apierrors.IsForbidden(err) && !ofGateway {
		s.unread[namespace] = err
		return nil
	}
	s.rules = append(s.rules, rules...)
	for i := range services {
		s.services[render.Name{Namespace: namespace, Name: services[i].GetName()}] = &services[i]
	}
	return err
}

// readPods keeps labels only. Who may not list pods is none the wiser, which makes
// the checks stricter.
func (s *snapshot) readPods(ctx context.Context, c kube.Client, namespace string) error {
	pods, err := c.List(ctx, "v1", "Pod", namespace)
	if apierrors.IsForbidden(err) {
		return nil
	}
	var labels []map[string]string
	for i := range pods {
		labels = append(labels, pods[i].GetLabels())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pods[namespace] = labels
	return err
}

// readSecrets keeps key names only: what is not held cannot leak.
func (s *snapshot) readSecrets(ctx context.Context, c kube.Client, namespace, credential string) error {
	for _, name := range []string{credential, credential + "-cacert"} {
		o, err := c.Get(ctx, kube.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name})
		if err != nil {
			return err
		}
		if o == nil {
			continue
		}
		data, _, _ := unstructured.NestedMap(o.Object, "data")
		s.mu.Lock()
		s.secretKeys[render.Name{Namespace: namespace, Name: name}] = slices.Sorted(maps.Keys(data))
		s.mu.Unlock()
	}
	return nil
}

// side is a gateway in use, with its field in the Mesh, the name of the Gateway
// object that is rendered for it, and the Secrets that it needs.
type side struct {
	*api.Gateway
	field, object string
	credentials   []string
}

// gateways are those that the wish uses: an unused one may be missing.
func gateways(spec api.Spec) []side {
	var out []side
	if len(spec.Exposures) > 0 {
		var credentials []string
		for _, e := range spec.Entrances() {
			credentials = append(credentials, e.CredentialName)
		}
		out = append(out, side{spec.Mesh.Spec.Ingress, "spec.ingress", render.IngressGateway, credentials})
	}
	if len(spec.Consumptions) > 0 {
		egress := spec.Mesh.Spec.Egress
		out = append(out, side{egress, "spec.egress", render.EgressGateway, []string{egress.CredentialName}})
	}
	return out
}

func namespaces(spec api.Spec) []string {
	set := map[string]bool{}
	for _, g := range gateways(spec) {
		set[g.Namespace] = true
	}
	for _, e := range spec.Exposures {
		set[e.Namespace] = true
	}
	for _, c := range spec.Consumptions {
		set[c.Namespace] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// policyNamespaces are where a policy can apply to a gateway: its own namespace
// and Istio's root namespace.
func policyNamespaces(spec api.Spec) []string {
	set := map[string]bool{}
	for _, g := range gateways(spec) {
		set[g.Namespace] = true
		set[spec.Mesh.Spec.ControlPlane.RootNamespace()] = true
	}
	return slices.Sorted(maps.Keys(set))
}
