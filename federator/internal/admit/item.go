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

// spec puts items together again, in their order.
func spec(mesh api.Mesh, list []item) api.Spec {
	out := api.Spec{Mesh: mesh}
	for _, i := range list {
		out = i.with(out)
	}
	return out
}

// with is the spec and this item, last.
func (i item) with(s api.Spec) api.Spec {
	switch {
	case i.peer != nil:
		s.Peers = append(slices.Clip(s.Peers), *i.peer)
	case i.exposure != nil:
		s.Exposures = append(slices.Clip(s.Exposures), *i.exposure)
	case i.consumption != nil:
		s.Consumptions = append(slices.Clip(s.Consumptions), *i.consumption)
	}
	return s
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
