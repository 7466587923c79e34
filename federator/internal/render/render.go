package render

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
)

type renderer struct {
	spec  api.Spec
	facts Facts
	out   []*unstructured.Unstructured
	err   error
}

// Objects renders a valid spec. The objects come in the order of creation:
// by role, then namespace, kind and name. An error means that an object could
// not be encoded, which no valid spec causes.
func Objects(spec api.Spec, facts Facts) ([]*unstructured.Unstructured, error) {
	r := &renderer{spec: spec, facts: facts}
	if len(spec.Exposures) > 0 {
		r.ingress()
	}
	if len(spec.Consumptions) > 0 {
		r.egress()
	}
	if r.err != nil {
		return nil, r.err
	}
	slices.SortStableFunc(r.out, byTurn)
	return r.out, nil
}

func byTurn(a, b *unstructured.Unstructured) int {
	roles := Roles()
	return cmp.Or(
		cmp.Compare(slices.Index(roles, RoleOf(a)), slices.Index(roles, RoleOf(b))),
		cmp.Compare(a.GetNamespace(), b.GetNamespace()),
		cmp.Compare(a.GetKind(), b.GetKind()),
		cmp.Compare(a.GetName(), b.GetName()),
	)
}
