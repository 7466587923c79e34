package verify

import (
	"strings"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
)

// Allows says whether the declarations let a request of a peer in, and which of
// them does. The path counts as it is after the normalisation that is required.
func Allows(spec api.Spec, r envoy.Request) (api.Key, bool) {
	if spec.Mesh.Spec.Ingress == nil {
		return api.Key{}, false
	}
	path, _, _ := strings.Cut(envoy.Normalise(r.Path, envoy.HTTP{NormalizePath: true, MergeSlashes: true, EscapedSlashes: "UNESCAPE_AND_FORWARD"}), "?")
	values := map[envoy.Field]string{envoy.FieldPrincipal: r.Principal, envoy.FieldSNI: strings.ToLower(r.SNI),
		envoy.FieldAuthority: r.Authority, envoy.FieldMethod: r.Method, envoy.FieldPath: path}
	for _, g := range ingress(spec, *spec.Mesh.Spec.Ingress).grants {
		if holds(g.clause, values) {
			return g.by, true
		}
	}
	return api.Key{}, false
}

func holds(c envoy.Clause, values map[envoy.Field]string) bool {
	for _, t := range c {
		if fits, known := t.Matches(values[t.Field]); !fits || !known {
			return false
		}
	}
	return true
}
