package admit

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/meshfed/meshfed/federator/api"
)

// item is one peer, exposure or consumption; exactly one pointer is set.
type item struct {
	key         api.Key
	peer        *api.Peer
	exposure    *api.Exposure
	consumption *api.Consumption
}

// items are a spec's declarations: peers first, because the others name them.
func items(s api.Spec) []item {
	out := make([]item, 0, len(s.Peers)+len(s.Exposures)+len(s.Consumptions))
	for i := range s.Peers {
		out = append(out, item{key: s.Peers[i].Key(), peer: &s.Peers[i]})
	}
	for i := range s.Exposures {
		out = append(out, item{key: s.Exposures[i].Key(), exposure: &s.Exposures[i]})
	}
	for i := range s.Consumptions {
		out = append(out, item{key: s.Consumptions[i].Key(), consumption: &s.Consumptions[i]})
	}
	return out
}

func (i item) addTo(s *api.Spec) {
	switch {
	case i.peer != nil:
		s.Peers = append(s.Peers, *i.peer)
	case i.exposure != nil:
		s.Exposures = append(s.Exposures, *i.exposure)
	case i.consumption != nil:
		s.Consumptions = append(s.Consumptions, *i.consumption)
	}
}

// with is the spec and this item, last.
func (i item) with(s api.Spec) api.Spec {
	s = clipped(s)
	i.addTo(&s)
	return s
}

// clipped is a spec to which one can add without writing into another's lists.
func clipped(s api.Spec) api.Spec {
	s.Peers, s.Exposures, s.Consumptions = slices.Clip(s.Peers), slices.Clip(s.Exposures), slices.Clip(s.Consumptions)
	return s
}

// without is the spec less any version of this item.
func (i item) without(s api.Spec) api.Spec {
	out := api.Spec{Mesh: s.Mesh}
	for _, o := range items(s) {
		if o.key != i.key {
			o.addTo(&out)
		}
	}
	return out
}

// claimsNoMoreThan says whether this version wants nothing for itself that the one
// before did not have. What two declarations cannot both have is told by
// api.Validate; a test holds this against it.
func (i item) claimsNoMoreThan(before item) bool {
	switch {
	case i.peer != nil && before.peer != nil:
		was, is := before.peer.Spec, i.peer.Spec
		kept := func(was, is string) bool { return is == "" || is == was }
		return kept(was.SNI, is.SNI) && kept(was.ClientIdentity, is.ClientIdentity) &&
			(is.Ingress == nil || equality.Semantic.DeepEqual(was.Ingress, is.Ingress))
	case i.exposure != nil && before.exposure != nil:
		return before.exposure.Spec.Path == i.exposure.Spec.Path
	case i.consumption != nil && before.consumption != nil:
		return before.consumption.Spec.Service.Name == i.consumption.Spec.Service.Name
	}
	return false
}

// same says whether two versions of a declaration ask for the same.
func (i item) same(o item) bool {
	switch {
	case i.peer != nil && o.peer != nil:
		return equality.Semantic.DeepEqual(i.peer.Spec, o.peer.Spec)
	case i.exposure != nil && o.exposure != nil:
		return equality.Semantic.DeepEqual(i.exposure.Spec, o.exposure.Spec)
	case i.consumption != nil && o.consumption != nil:
		return equality.Semantic.DeepEqual(i.consumption.Spec, o.consumption.Spec)
	}
	return false
}

// Unchanged are the declarations that ask for the same in both specs.
func Unchanged(a, b api.Spec) map[api.Key]bool {
	other := byKey(items(b))
	out := map[api.Key]bool{}
	for _, i := range items(a) {
		if o, ok := other[i.key]; ok && i.same(o) {
			out[i.key] = true
		}
	}
	return out
}

func byKey(list []item) map[api.Key]item {
	out := make(map[api.Key]item, len(list))
	for _, i := range list {
		out[i.key] = i
	}
	return out
}
