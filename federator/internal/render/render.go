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
	// peers by name: a boundary of a hundred peers names them in each of ten
	// thousand declarations.
	peers map[string]api.Peer
}

// Objects renders a valid spec. The objects come in the order of creation:
// by role, then namespace, kind and name. An error means that an object could
// not be encoded, which no valid spec causes. What an inventory says was in force
// need not be valid: a side without a gateway has no objects, nor has a consumption
// of a peer without an address.
func Objects(spec api.Spec, facts Facts) ([]*unstructured.Unstructured, error) {
	r := &renderer{spec: spec, facts: facts, peers: make(map[string]api.Peer, len(spec.Peers))}
	for _, p := range spec.Peers {
		r.peers[p.Name] = p
	}
	r.spec.Consumptions = slices.DeleteFunc(slices.Clone(spec.Consumptions), func(c api.Consumption) bool {
		return r.peers[c.Spec.From.Peer].Spec.Address == nil
	})
	if len(r.spec.Exposures) > 0 && spec.Mesh.Spec.Ingress != nil {
		r.ingress()
	}
	if len(r.spec.Consumptions) > 0 && spec.Mesh.Spec.Egress != nil {
		r.egress()
	}
	if r.err != nil {
		return nil, r.err
	}
	return inTurn(r.out), nil
}

// inTurn sorts by keys read once: each look into an unstructured object copies.
func inTurn(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	type entry struct {
		turn                  int
		namespace, kind, name string
		object                *unstructured.Unstructured
	}
	roles := Roles()
	entries := make([]entry, len(objects))
	for i, o := range objects {
		entries[i] = entry{slices.Index(roles, RoleOf(o)), o.GetNamespace(), o.GetKind(), o.GetName(), o}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.namespace, b.namespace),
			cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
	out := make([]*unstructured.Unstructured, len(entries))
	for i, e := range entries {
		out[i] = e.object
	}
	return out
}
