package mutation

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// exposing are faults on the side that exposes.
func exposing() []Mutation {
	widened := func(name string, part Part, t Transform) Mutation {
		return Mutation{Name: name, Part: part, Widens: true, New: always(t)}
	}
	narrowed := func(name string, part Part, t Transform) Mutation {
		return Mutation{Name: name, Part: part, New: always(t)}
	}
	const (
		principals = "rules[].from[].source.principals"
		methods    = "rules[].to[].operation.methods"
		paths      = "rules[].to[].operation.paths"
		prefixes   = "http[].match[].uri.prefix"
		allowAll   = "the default deny allows everything"
	)
	return []Mutation{
		widened("no policy at all", Several, drop(IngressDeny, Grant, EgressDeny, EgressGrant)),
		widened(allowAll, IngressDeny, set(IngressDeny, "rules", list(mapping{}))),
		widened("every certificate's name is granted", Grant, set(Grant, principals, list("*"))),
		widened("a name of any trust domain is granted", Grant, update(Grant, principals, texts(func(p string) []string {
			_, name, _ := strings.Cut(p, "/")
			return []string{"*/" + name}
		}))),
		widened("a name that begins alike is granted", Grant, update(Grant, principals, texts(func(p string) []string { return []string{p + "*"} }))),
		widened("every method is granted", Grant, set(Grant, methods, list("*"))),
		widened("one method too many is granted", Grant, update(Grant, methods, texts(func(m string) []string { return []string{m, "POST"} }))),
		widened("another version's path is granted and routed", Several, both(
			update(Grant, paths, texts(neighbours)), update(Route, "http", neighbourRoutes))),
		widened("a prefix without its last slash", Several, both(
			update(Grant, paths, texts(func(p string) []string { return []string{strings.Replace(p, "/*", "*", 1)} })),
			update(Route, prefixes, text(func(p string) string { return strings.TrimSuffix(p, "/") })))),
		widened("everything under the first segment is granted and routed", Several, both(
			update(Grant, paths, texts(func(p string) []string { return []string{firstSegment(p) + "*"} })),
			update(Route, prefixes, text(firstSegment)))),
		widened("below a prefix more is granted than was declared", Grant, update(Grant, paths, texts(func(p string) []string {
			return []string{strings.Replace(p, "/ratings/*", "/*", 1)}
		}))),
		widened("every host is granted", Grant, set(Grant, "rules[].to[].operation.hosts", list("*"))),
		widened("the gateway takes every name", IngressListener, set(IngressListener, "servers[].hosts", list("./*"))),
		widened("the gateway takes every name of a domain", IngressListener, update(IngressListener, "servers[].hosts", texts(func(h string) []string {
			_, domain, _ := strings.Cut(strings.TrimPrefix(h, "./"), ".")
			return []string{h, "./*." + domain}
		}))),
		{
			Name: "routes of any namespace attach to the gateway", Part: IngressListener,
			Equivalent: "a route that is older than the engine's is refused by preflight, and one that is younger comes after it, for paths that the policy admits and the engine's own already matches",
			New:        always(update(IngressListener, "servers[].hosts", texts(func(h string) []string { return []string{strings.TrimPrefix(h, "./")} }))),
		},
		widened("the gateway passes every service through", IngressListener, update(IngressListener, "servers", func(old any) any {
			servers, _ := old.([]any)
			return append(servers, mapping{
				"hosts": list("*.local"), "port": mapping{"name": "tls-passthrough", "number": int64(15443), "protocol": "TLS"}, "tls": mapping{"mode": "AUTO_PASSTHROUGH"},
			})
		})),
		widened("the client's certificate is optional", IngressListener, set(IngressListener, "servers[].tls.mode", "OPTIONAL_MUTUAL")),
		narrowed("no client certificate is asked for", IngressListener, set(IngressListener, "servers[].tls.mode", "SIMPLE")),
		widened("the gateway speaks TLS 1.0", IngressListener, set(IngressListener, "servers[].tls.minProtocolVersion", "TLSV1_0")),
		widened("the gateway speaks plain HTTP", IngressListener, both(
			set(IngressListener, "servers[].port", mapping{"name": "http-federation", "number": int64(15443), "protocol": "HTTP"}),
			remove(IngressListener, "servers[].tls"))),
		widened("another version answers", Route, update(Route, "http[].route[].destination.subset", text(func(s string) string {
			return strings.Replace(s, "v2", "v3", 1)
		}))),
		widened("requests are copied to another service", Route, set(Route, "http[].mirror", mapping{
			"host": "ratings.bookinfo.svc.cluster.local", "port": mapping{"number": int64(9080)},
		})),
		narrowed("the exposed service's requests get a header", Route, set(Route, "http[].headers", mapping{
			"request": mapping{"set": mapping{"end-user": "jason"}},
		})),
		widened("escaped slashes are kept, as path normalisation BASE does", Several, addEscapes),
		widened("an entrance admits every peer, as pooled authorities do", Several, pooled),
		narrowed("the grant denies", Grant, set(Grant, "action", "DENY")),
		narrowed("the grant only audits", Grant, set(Grant, "action", "AUDIT")),
		narrowed("the gateway's port is another", IngressListener, set(IngressListener, "servers[].port.number", int64(15444))),
	}
}

func neighbours(p string) []string { return []string{p, strings.Replace(p, "/v2/", "/v3/", 1)} }

func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + first + "/"
}

// neighbourRoutes puts beside each route to v2 one to v3.
func neighbourRoutes(old any) any {
	routes, _ := old.([]any)
	for _, r := range routes {
		wide := runtime.DeepCopyJSONValue(r)
		replace := text(func(s string) string { return strings.ReplaceAll(s, "v2", "v3") })
		at(wide, "match[].uri.prefix", func(owner map[string]any, field string) { owner[field] = replace(owner[field]) })
		at(wide, "route[].destination.subset", func(owner map[string]any, field string) { owner[field] = replace(owner[field]) })
		routes = append(routes, wide)
	}
	return routes
}

// addEscapes has the ingress gateway leave %2f and %5c as they are, which only
// DECODE_AND_MERGE_SLASHES undoes.
func addEscapes(all objects) objects {
	for _, o := range all {
		if PartOf(o) != IngressListener {
			continue
		}
		filter := o.DeepCopy()
		filter.SetAPIVersion("networking.istio.io/v1alpha3")
		filter.SetKind("EnvoyFilter")
		filter.SetName("federation-escapes")
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		labels := mapping{}
		for k, v := range selector {
			labels[k] = v
		}
		filter.Object["spec"] = mapping{
			"workloadSelector": mapping{"labels": labels},
			"configPatches": list(mapping{
				"applyTo": "NETWORK_FILTER",
				"match": mapping{
					"context":  "GATEWAY",
					"listener": mapping{"filterChain": mapping{"filter": mapping{"name": "envoy.filters.network.http_connection_manager"}}},
				},
				"patch": mapping{"operation": "MERGE", "value": mapping{"typed_config": mapping{
					"@type":                            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
					"path_with_escaped_slashes_action": "KEEP_UNCHANGED",
				}}},
			}),
		}
		// First, so that the listener never stands without it.
		return append(objects{filter}, all...)
	}
	return all
}
