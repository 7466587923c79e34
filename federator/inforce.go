package federator

import (
	"fmt"
	"slices"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// reached is what the cluster holds when a plan has been carried out: what was
// decided, but a declaration whose grant stays as it was, because another owner
// holds its fields or because it cannot be deleted, is in force as it was. To call
// it narrowed or gone would tell its owner that a peer is out who is still in.
func (c *converger) reached(p Plan) (Spec, error) {
	out := c.decision.Spec
	out.Peers, out.Exposures, out.Consumptions = slices.Clone(out.Peers), slices.Clone(out.Exposures), slices.Clone(out.Consumptions)
	for _, change := range p.Changes {
		if change.Conflict() == nil || change.Role() != render.RoleGrant {
			continue
		}
		for _, by := range change.DeclaredBy {
			stillInForce(&out, c.held, by)
		}
	}
	declaredBy, err := c.remnantsOf(p)
	for _, by := range declaredBy {
		stillInForce(&out, c.held, by)
	}
	return out, err
}

// remnantsOf are the declarations, in force before, of which a plan leaves a grant or
// a route. They are found by rendering them again, since the objects that are left may
// be unreadable.
func (c *converger) remnantsOf(p Plan) ([]string, error) {
	left := map[kube.Ref]bool{}
	for _, r := range p.Remnants() {
		left[r.Item.Ref] = r.LetsIn() || r.Item.Role == render.RoleConsumerRoute
	}
	if len(left) == 0 {
		return nil, nil
	}
	before, err := c.engine.render(c.held, render.Facts{})
	if err != nil {
		return nil, fmt.Errorf("render what was in force: %w", err)
	}
	var out []string
	for _, o := range before {
		if left[kube.RefOf(o)] {
			out = append(out, render.DeclaredBy(o)...)
		}
	}
	return out, nil
}

// stillInForce puts the version of a declaration that was in force into a spec, in
// place of a newer one, and what it rests on: the gateway and the peers that it names.
// Without them nobody could render it again and tell whose the objects are.
func stillInForce(s *Spec, held Spec, declaration string) {
	is := func(k api.Key) bool { return k.String() == declaration }
	if i := slices.IndexFunc(held.Exposures, func(e api.Exposure) bool { return is(e.Key()) }); i >= 0 {
		was := held.Exposures[i]
		s.Exposures = replaced(s.Exposures, was, func(e api.Exposure) bool { return is(e.Key()) })
		if s.Mesh.Spec.Ingress == nil {
			s.Mesh.Spec.Ingress = held.Mesh.Spec.Ingress
		}
		for _, c := range was.Spec.Consumers {
			withPeer(s, held, c.Peer)
		}
	}
	if i := slices.IndexFunc(held.Consumptions, func(c api.Consumption) bool { return is(c.Key()) }); i >= 0 {
		was := held.Consumptions[i]
		s.Consumptions = replaced(s.Consumptions, was, func(c api.Consumption) bool { return is(c.Key()) })
		if s.Mesh.Spec.Egress == nil {
			s.Mesh.Spec.Egress = held.Mesh.Spec.Egress
		}
		withPeer(s, held, was.Spec.From.Peer)
		withServer(s, held, was.Spec.From.Peer)
	}
}

func replaced[T any](list []T, by T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = by
		return list
	}
	return append(list, by)
}

func withPeer(s *Spec, held Spec, name string) {
	if _, there := s.Peer(name); there {
		return
	}
	if was, known := held.Peer(name); known {
		s.Peers = append(s.Peers, was)
	}
}

// withServer gives a peer that is called no more by its newer version the server
// back that it was.
func withServer(s *Spec, held Spec, name string) {
	was, _ := held.Peer(name)
	for i := range s.Peers {
		now := &s.Peers[i].Spec
		if s.Peers[i].Name == name && now.Address == nil {
			now.ServerIdentity, now.SNI, now.Address = was.Spec.ServerIdentity, was.Spec.SNI, was.Spec.Address
		}
	}
}
