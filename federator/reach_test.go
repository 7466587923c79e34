package federator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// apart is a wish whose two exposures have a peer each, with nothing in common.
func apart(spec Spec) Spec {
	out := spec
	out.Exposures = slices.Clone(spec.Exposures)
	for i := range out.Exposures {
		out.Exposures[i].Spec.Consumers = []api.Consumer{{Peer: []string{"c1", "c3"}[i%2], Methods: []string{"GET"}}}
	}
	return out
}

// swapped exchanges the public paths of the first two exposures, and the local
// names of the first two consumptions.
func swapped(spec Spec) Spec {
	out := spec
	out.Exposures, out.Consumptions = slices.Clone(spec.Exposures), slices.Clone(spec.Consumptions)
	if e := out.Exposures; len(e) > 1 {
		e[0].Spec.Path, e[1].Spec.Path = e[1].Spec.Path, e[0].Spec.Path
	}
	if c := out.Consumptions; len(c) > 1 {
		c[0].Spec.From, c[1].Spec.From = c[1].Spec.From, c[0].Spec.From
	}
	return out
}

// first is the wish less everything behind its first exposure and consumption.
func first(spec Spec) Spec {
	out := spec
	out.Exposures = spec.Exposures[:min(1, len(spec.Exposures))]
	out.Consumptions = spec.Consumptions[:min(1, len(spec.Consumptions))]
	return out
}

// retargeted puts the service and the peer of the second exposure behind the path
// of the first, and the same with what is consumed.
func retargeted(spec Spec) Spec {
	out := first(spec)
	if len(out.Consumptions) > 0 {
		c := spec.Consumptions[1]
		c.ObjectMeta = spec.Consumptions[0].ObjectMeta
		out.Consumptions = []api.Consumption{c}
	}
	if len(out.Exposures) > 0 {
		e := spec.Exposures[1]
		e.ObjectMeta, e.Spec.Path = spec.Exposures[0].ObjectMeta, spec.Exposures[0].Spec.Path
		out.Exposures = []api.Exposure{e}
	}
	return out
}

// podsOfOthers is the wish with gateways that are found by another label.
func podsOfOthers(spec Spec) Spec {
	out := spec
	for _, g := range []**api.Gateway{&out.Mesh.Spec.Ingress, &out.Mesh.Spec.Egress} {
		if *g != nil {
			other := **g
			other.Selector = map[string]string{"app": other.Service}
			*g = &other
		}
	}
	return out
}

// ways are what callers of a gateway can reach: who, how, where, and what is there.
type ways map[string]bool

func (w ways) has(way string) bool { return w[way] }

// reach reads the live gateways, grants and routes and asks each grant about each
// route: it knows nothing of the declarations, nor of which objects belong together.
// Pods that a listener selects and no policy does admit everybody.
func reach(t *testing.T, c kube.Client) ways {
	t.Helper()
	out := ways{}
	routes := list(t, c, "networking.istio.io/v1", "VirtualService")
	policies := list(t, c, "security.istio.io/v1", "AuthorizationPolicy")
	for _, listener := range list(t, c, "networking.istio.io/v1", "Gateway") {
		pods, _, err := unstructured.NestedStringMap(listener.Object, "spec", "selector")
		require.NoError(t, err)
		bound := slices.DeleteFunc(slices.Clone(routes), func(r unstructured.Unstructured) bool {
			names, _, _ := unstructured.NestedStringSlice(r.Object, "spec", "gateways")
			return !slices.Contains(names, listener.GetName())
		})
		if pods["federation.meshfed.io/closed"] != "" {
			continue // no pod has the label
		}
		for _, rule := range admissions(t, policies, pods) {
			for _, route := range bound {
				rule.through(route, out)
			}
		}
	}
	return out
}

// admissions are the rules that hold at pods, which are those of one selector.
func admissions(t *testing.T, policies []unstructured.Unstructured, pods map[string]string) []admission {
	t.Helper()
	out, guarded := []admission{}, false
	for _, policy := range policies {
		selector, _, err := unstructured.NestedStringMap(policy.Object, "spec", "selector", "matchLabels")
		require.NoError(t, err)
		if !maps.Equal(selector, pods) {
			continue
		}
		guarded = true
		rules, _, err := unstructured.NestedSlice(policy.Object, "spec", "rules")
		require.NoError(t, err)
		for _, r := range rules {
			out = append(out, granted(r.(map[string]any)))
		}
	}
	if !guarded {
		return []admission{{who: []string{"anybody"}, methods: []string{"*"}}}
	}
	return out
}

func list(t *testing.T, c kube.Client, version, kind string) []unstructured.Unstructured {
	t.Helper()
	out, err := c.List(t.Context(), version, kind, gateways)
	require.NoError(t, err)
	return out
}

// admission is one rule of a policy.
type admission struct{ who, hosts, methods, paths []string }

func granted(rule map[string]any) admission {
	source := rule["from"].([]any)[0].(map[string]any)["source"].(map[string]any)
	operation := rule["to"].([]any)[0].(map[string]any)["operation"].(map[string]any)
	return admission{who: append(texts(source["principals"]), texts(source["namespaces"])...), hosts: texts(operation["hosts"]),
		methods: or(texts(operation["methods"]), "*"), paths: or(texts(operation["paths"]), "/*")}
}

func texts(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, i := range items {
		out = append(out, i.(string))
	}
	return out
}

func or(list []string, all string) []string {
	if len(list) == 0 {
		return []string{all}
	}
	return list
}

// through notes what the rule admits to what a route leads to. The paths of the
// seed and of the changes to it are either the same or apart, so that one path for
// each pattern tells all.
func (a admission) through(route unstructured.Unstructured, out ways) {
	spec := route.Object["spec"].(map[string]any)
	for _, h := range spec["http"].([]any) {
		http := h.(map[string]any)
		match, _ := http["match"].([]any)
		prefix, _, _ := unstructured.NestedString(match[0].(map[string]any), "uri", "prefix")
		destination, _, _ := unstructured.NestedMap(http["route"].([]any)[0].(map[string]any), "destination")
		for _, host := range texts(spec["hosts"]) {
			for _, path := range or(a.paths, prefix) {
				if a.hosts != nil && !slices.Contains(a.hosts, host) || !strings.HasPrefix(path, prefix) {
					continue
				}
				for _, who := range a.who {
					for _, method := range a.methods {
						rewrite, _, _ := unstructured.NestedString(http, "rewrite", "uri")
						out[strings.Join([]string{who, method, host + path, "->", destination["host"].(string), rewrite}, " ")] = true
					}
				}
			}
		}
	}
}

func TestReachIsWhatIsDeclared(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, apart(spec))
	assert.Equal(t, ways{
		"c1.example.com/istio-private-egressgateway GET c2.example.com/bookinfo/myreviews/v2/* -> myreviews.bookinfo.svc.cluster.local /": true,
		"c3.example.com/istio-private-egressgateway GET c2.example.com/bookinfo/ratings/v1/* -> ratings.bookinfo.svc.cluster.local /":     true,
	}, reach(t, c))
	c, e, spec = setup(t, "c1")
	converge(t, e, spec)
	assert.Len(t, reach(t, c), 2)
}

// barred is a cluster that answers every write to one object with a refusal, which
// a rehearsal does not show.
type barred struct {
	kube.Client
	object kube.Ref
}

func (b barred) Apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	if ref := kube.RefOf(o); ref == b.object && !dryRun {
		return nil, fmt.Errorf("apply %s: %w", ref, forbidden(ref, "barred"))
	}
	return b.Client.Apply(ctx, o, dryRun)
}

func (b barred) Delete(ctx context.Context, ref kube.Ref, uid types.UID) (bool, error) {
	if ref == b.object {
		return false, fmt.Errorf("delete %s: %w", ref, forbidden(ref, "barred"))
	}
	return b.Client.Delete(ctx, ref, uid)
}

// A run that goes on past an object that is refused grants nothing either that
// neither wish does, whichever object it is, however often it is tried; and once
// it is let do, it ends where it would have.
func TestARefusalOfAnyObjectOpensNothing(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		for _, l := range lives() {
			t.Run(name+"/"+l.name, func(t *testing.T) {
				c, e, spec, other := l.start(t, name)
				require.NoError(t, l.run(t.Context(), e, spec, other))
				want, after, met := contents(t, c), reach(t, c), map[kube.Ref]bool{}
				for _, w := range c.Writes() {
					if w.Ref.Name == inventory.Name || met[w.Ref] {
						continue
					}
					met[w.Ref] = true
					l.bar(t, name, w.Ref, want, after)
				}
			})
		}
	}
}

func (l life) bar(t *testing.T, name string, object kube.Ref, want map[kube.Ref]string, after ways) {
	t.Helper()
	owners, _, _ := setup(t, name)
	c, e, spec, other := l.start(t, name)
	before := reach(t, c)
	refused, err := newEngine(barred{c, object})
	require.NoError(t, err)
	for range 2 {
		_ = l.run(t.Context(), refused, spec, other) // Converge goes on without an error
		for way := range reach(t, c) {
			assert.True(t, before.has(way) || after.has(way), "without %s %s is granted, by neither wish", object, way)
		}
		assertCovered(t, c, owners.Refs())
	}
	for range 2 { // what was narrowed at first is added again by the second look
		require.NoError(t, l.run(t.Context(), e, spec, other), "%s", object)
	}
	assert.Equal(t, want, contents(t, c), "once %s is let do", object)
}
