package api

import (
	"fmt"
	"slices"
	"strings"
)

// declaration is what the four kinds have in common.
type declaration interface {
	kind() Kind
	GetName() string
	GetNamespace() string
}

func (*Mesh) kind() Kind        { return KindMesh }
func (*Peer) kind() Kind        { return KindPeer }
func (*Exposure) kind() Kind    { return KindExposure }
func (*Consumption) kind() Kind { return KindConsumption }

func key(k Kind, d declaration) Key {
	return Key{Kind: k, Namespace: d.GetNamespace(), Name: d.GetName()}
}

// Key names this mesh.
func (m *Mesh) Key() Key { return key(KindMesh, m) }

// Key names this peer.
func (p *Peer) Key() Key { return key(KindPeer, p) }

// Key names this exposure.
func (e *Exposure) Key() Key { return key(KindExposure, e) }

// Key names this consumption.
func (c *Consumption) Key() Key { return key(KindConsumption, c) }

// Peer finds a peer by name.
func (s *Spec) Peer(name string) (Peer, bool) {
	i := slices.IndexFunc(s.Peers, func(p Peer) bool { return p.Name == name })
	if i < 0 {
		return Peer{}, false
	}
	return s.Peers[i], true
}

// ParseKey reads what Key.String writes: Exposure/bookinfo/reviews-v2.
func ParseKey(text string) (Key, error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 && !slices.Contains(parts, "") {
		if k := Kind(parts[0]); k == KindExposure || k == KindConsumption {
			return Key{Kind: k, Namespace: parts[1], Name: parts[2]}, nil
		}
	}
	return Key{}, fmt.Errorf("declaration %q: write Exposure/<namespace>/<name> or Consumption/<namespace>/<name>", text)
}

// Select narrows a spec to the named exposures and consumptions; its mesh and
// its peers stay. A key that the spec does not have is an error: a mistyped name
// must not select nothing in silence.
func (s Spec) Select(keys ...Key) (Spec, error) {
	out := s
	out.Exposures, out.Consumptions = nil, nil
	for _, k := range keys {
		i := slices.IndexFunc(s.Exposures, func(e Exposure) bool { return e.Key() == k })
		j := slices.IndexFunc(s.Consumptions, func(c Consumption) bool { return c.Key() == k })
		switch {
		case i >= 0:
			out.Exposures = append(out.Exposures, s.Exposures[i])
		case j >= 0:
			out.Consumptions = append(out.Consumptions, s.Consumptions[j])
		default:
			return Spec{}, fmt.Errorf("select %s: the declarations hold no such exposure or consumption", k)
		}
	}
	return out, nil
}

// Without is the spec less the exposures and consumptions of other, and less the
// peers that nothing names any more.
func (s Spec) Without(other Spec) Spec {
	out := s
	out.Exposures = slices.DeleteFunc(slices.Clone(s.Exposures), func(e Exposure) bool {
		return slices.ContainsFunc(other.Exposures, func(o Exposure) bool { return o.Key() == e.Key() })
	})
	out.Consumptions = slices.DeleteFunc(slices.Clone(s.Consumptions), func(c Consumption) bool {
		return slices.ContainsFunc(other.Consumptions, func(o Consumption) bool { return o.Key() == c.Key() })
	})
	used := map[string]bool{}
	for _, e := range out.Exposures {
		for _, c := range e.Spec.Consumers {
			used[c.Peer] = true
		}
	}
	for _, c := range out.Consumptions {
		used[c.Spec.From.Peer] = true
	}
	out.Peers = slices.DeleteFunc(slices.Clone(s.Peers), func(p Peer) bool { return !used[p.Name] })
	return out
}
