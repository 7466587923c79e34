package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	networkingapi "istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// Consumed finds the Consumption by whose name a workload of this mesh asks: none
// if the question is a peer's, or is for another host. A name that several
// namespaces consume has to be told with its namespace.
func (q Question) Consumed(spec api.Spec) (*api.Consumption, error) {
	if q.Peer != "" || q.Host == "" {
		return nil, nil
	}
	host, _, _ := strings.Cut(q.Host, ":")
	var found *api.Consumption
	for i := range spec.Consumptions {
		c := &spec.Consumptions[i]
		short := c.Spec.Service.Name + "." + c.Namespace
		if !slices.Contains([]string{c.Spec.Service.Name, short, short + ".svc", spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace)}, host) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("explain: both %s and %s serve %s: add the namespace, as in %s", found.Key(), c.Key(), host, short)
		}
		found = c
	}
	return found, nil
}

// Objects are those of the cluster by which a call leaves the caller.
type Objects struct {
	// Services of the consuming namespace, and its VirtualServices.
	Services, VirtualServices []unstructured.Unstructured
	// DestinationRules and ServiceEntries of the egress gateway's namespace.
	DestinationRules, ServiceEntries []unstructured.Unstructured
}

// AskConsumer follows a call of a workload for a consumed name through the
// objects, as sidecars are not looked into, and through a pod of the egress
// gateway, as far as this mesh goes.
func AskConsumer(spec api.Spec, c api.Consumption, objects Objects, d verify.Dump, q Question) (Answer, error) {
	if !strings.HasPrefix(q.Path, "/") {
		return Answer{}, fmt.Errorf("explain: the path %q does not begin with a slash", q.Path)
	}
	f := follow{spec: spec, consumption: c, objects: objects, host: spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace), headers: q.Headers}
	out := Answer{Pod: d.Pod, Goal: "the peer's gateway", Request: fmt.Sprintf("%s http://%s:%d%s by a workload of namespace %s", cmp.Or(q.Method, "GET"), f.host, c.Spec.Service.Port, q.Path, c.Namespace)}
	if out.Declared = f.declared(); out.Declared {
		out.By = fmt.Sprintf("%s, from peer %s at %s", c.Key(), c.Spec.From.Peer, c.Spec.From.Path)
	}
	leaves := f.caller()
	out.Steps = f.steps
	if leaves {
		// Whose workload it is counts by its namespace alone, so that any other part of
		// its identity will do.
		steps := d.Config.Follow(d.Port, envoy.Request{Principal: "spiffe://cluster.local/ns/" + c.Namespace + "/sa/default",
			SNI: f.host, Authority: f.host, Method: cmp.Or(q.Method, "GET"), Path: q.Path, Headers: q.Headers, At: q.At})
		out.Steps = append(out.Steps, f.beyond(d.Config, steps, q)...)
	}
	out.Reaches = out.Steps[len(out.Steps)-1].Passed
	return out, nil
}

// follow is a call on its way out of the mesh.
type follow struct {
	spec        api.Spec
	consumption api.Consumption
	objects     Objects
	// host is the full local name.
	host    string
	headers map[string]string
	steps   []envoy.Step
}

func (f *follow) step(s envoy.Step) bool {
	f.steps = append(f.steps, s)
	return s.Passed
}

// declared says whether the route for those headers leads to the peer at all.
func (f *follow) declared() bool {
	for _, r := range f.consumption.Spec.Routes {
		if r.Match != nil && slices.ContainsFunc(r.Match.Headers, func(h api.HeaderMatch) bool {
			value := f.headers[h.Name]
			return h.Exact != "" && value != h.Exact || h.Exact == "" && !strings.HasPrefix(value, h.Prefix)
		}) {
			continue
		}
		return slices.ContainsFunc(r.To, func(d api.Destination) bool { return d.Target == api.TargetRemote && d.Weight > 0 })
	}
	return false
}

// caller is what the objects have the caller's sidecar do.
func (f *follow) caller() bool {
	name := f.consumption.Namespace + "/" + f.consumption.Spec.Service.Name
	if !slices.ContainsFunc(f.objects.Services, func(o unstructured.Unstructured) bool {
		return o.GetName() == f.consumption.Spec.Service.Name
	}) {
		return f.step(envoy.Step{Layer: envoy.LayerName, By: "Service " + name, Story: "there is no such Service, so that the name does not resolve"})
	}
	f.step(envoy.Step{Layer: envoy.LayerName, Passed: true, By: "Service " + name, Story: "the name resolves"})
	return f.route()
}

// route finds the first route of the callers' VirtualService that fits, and what
// it sends to the egress gateway.
func (f *follow) route() bool {
	by := "objects of namespace " + f.consumption.Namespace
	gateway := *f.spec.Mesh.Spec.Egress
	egress := f.spec.Mesh.Spec.FQDN(gateway.Service, gateway.Namespace)
	for i := range f.objects.VirtualServices {
		v, of := virtualService(&f.objects.VirtualServices[i])
		if !slices.Contains(v.Hosts, f.host) && !slices.Contains(v.Hosts, f.consumption.Spec.Service.Name) || len(v.Gateways) > 0 && !slices.Contains(v.Gateways, "mesh") {
			continue
		}
		for n, r := range v.Http {
			if !f.fits(r.Match) {
				continue
			}
			at := fmt.Sprintf("route %d", n+1)
			for _, d := range r.Route {
				if d.Destination.GetHost() == egress {
					return f.step(envoy.Step{Layer: envoy.LayerConsumerRoute, Passed: true, By: at, Object: of,
						Story: fmt.Sprintf("%s to the egress gateway, subset %s", share(d.Weight, len(r.Route)), d.Destination.Subset)}) && f.subset(egress, d.Destination.Subset)
				}
			}
			return f.step(envoy.Step{Layer: envoy.LayerConsumerRoute, By: at, Object: of, Story: "it does not lead to the egress gateway: the call stays in this mesh"})
		}
		return f.step(envoy.Step{Layer: envoy.LayerConsumerRoute, By: by, Object: of, Story: "none of its routes is for such a call"})
	}
	return f.step(envoy.Step{Layer: envoy.LayerConsumerRoute, By: by, Story: "no VirtualService routes " + f.host + ": the call stays in this mesh"})
}

func share(weight int32, of int) string {
	if of == 1 {
		return "all"
	}
	return fmt.Sprintf("%d %%", weight)
}

// fits judges headers and the port; what else a match may ask for is nothing that
// a declaration does.
func (f *follow) fits(matches []*networkingapi.HTTPMatchRequest) bool {
	return len(matches) == 0 || slices.ContainsFunc(matches, func(m *networkingapi.HTTPMatchRequest) bool {
		if m.Port != 0 && int32(m.Port) != f.consumption.Spec.Service.Port {
			return false
		}
		for name, want := range m.Headers {
			value := f.headers[name]
			if want.GetExact() != "" && value != want.GetExact() || want.GetPrefix() != "" && !strings.HasPrefix(value, want.GetPrefix()) {
				return false
			}
		}
		return true
	})
}

// subset is how the caller's sidecar speaks to the egress gateway; without the
// subset it does not.
func (f *follow) subset(egress, subset string) bool {
	for i := range f.objects.DestinationRules {
		var r networking.DestinationRule
		of := decode(&f.objects.DestinationRules[i], &r)
		if r.Spec.Host != egress {
			continue
		}
		for _, s := range r.Spec.Subsets {
			if s.Name == subset {
				return f.step(envoy.Step{Layer: envoy.LayerEgressTLS, Passed: true, By: "subset " + subset, Object: of, Story: "the sidecar knows how to speak to the egress gateway"})
			}
		}
	}
	return f.step(envoy.Step{Layer: envoy.LayerEgressTLS, By: "subset " + subset, Story: "no DestinationRule for " + egress + " defines it: the sidecar answers 503"})
}

// beyond is what the egress gateway does: its own steps in the words of the
// caller's mesh, and the way to the peer instead of a backend.
func (f *follow) beyond(config envoy.Config, steps []envoy.Step, q Question) []envoy.Step {
	var out []envoy.Step
	for _, s := range steps {
		switch s.Layer {
		case envoy.LayerListener, envoy.LayerSNI, envoy.LayerHandshake:
			s.Layer = envoy.LayerEgressTLS
		case envoy.LayerRoute:
			s.Layer = envoy.LayerConsumerRoute
		case envoy.LayerBackend:
			peer := config.Peer(s.Cluster, q.At)
			f.entry(s.Cluster, peer)
			return append(out, peer...)
		}
		out = append(out, s)
	}
	return out
}

// entry names the ServiceEntry of the address, which Envoy does not.
func (f *follow) entry(cluster string, steps []envoy.Step) {
	host, _, _, _ := envoy.Target(cluster)
	for i := range f.objects.ServiceEntries {
		var e networking.ServiceEntry
		if of := decode(&f.objects.ServiceEntries[i], &e); slices.Contains(e.Spec.Hosts, host) && len(steps) > 0 {
			steps[0].Object = of
		}
	}
}

func virtualService(o *unstructured.Unstructured) (*networkingapi.VirtualService, string) {
	var v networking.VirtualService
	of := decode(o, &v)
	return &v.Spec, of
}

// decode reads an object that the API server has accepted, and spells its name.
// What cannot be read is empty, and fits nothing.
func decode(o *unstructured.Unstructured, into any) string {
	if raw, err := o.MarshalJSON(); err == nil {
		_ = json.Unmarshal(raw, into)
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}
