package mutation

import "k8s.io/apimachinery/pkg/runtime"

// pooled has each entrance of the ingress gateway do what any of them does:
// whoever can sign for one can sign for all.
func pooled(all objects) objects {
	var names []any
	collect := change(IngressListener, func(spec map[string]any) {
		at(spec, "servers[].hosts", func(owner map[string]any, field string) {
			hosts, _ := owner[field].([]any)
			for _, h := range hosts {
				host, _ := h.(string)
				names = append(names, host[len("./"):])
			}
		})
	})
	all = collect(all)
	if len(names) < 2 {
		return all
	}
	everywhere := func(any) any { return runtime.DeepCopyJSONValue(names) }
	return both(
		remove(IngressListener, "servers[].tls.subjectAltNames"),
		update(Grant, "rules[].to[].operation.hosts", everywhere),
		update(Grant, "rules[].when[].values", everywhere),
		update(Route, "hosts", everywhere),
	)(all)
}
