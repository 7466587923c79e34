package mutation

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// lasting are faults in what happens over time.
func lasting() []Mutation {
	of := func(name string, part Part, widens bool, f func() Transform) Mutation {
		return Mutation{Name: name, Part: part, Widens: widens, Lasting: true, New: f}
	}
	return []Mutation{
		of("what is withdrawn keeps its route", Route, false, leaving(Route)),
		of("what is withdrawn keeps its grant", Grant, true, leaving(Grant)),
		of("what is withdrawn keeps route, grant and listener", Several, true, leaving(Route, Grant, IngressListener)),
		of("what is withdrawn keeps the listener", IngressListener, false, leaving(IngressListener)),
		of("what is no longer consumed keeps the route of its callers", ConsumerRoute, true, leaving(ConsumerRoute)),
		of("what is no longer consumed keeps the peer's address", Peer, false, leaving(Peer, PeerTLS)),
		of("a grant is never taken back", Grant, true, first(Grant)),
		of("what has been rendered once is never changed", Several, true, first(Parts()...)),
		of("a withdrawal takes everything with it", Several, false, hasty),
	}
}

// leaving puts back what it has seen of those parts and is no longer rendered.
func leaving(parts ...Part) func() Transform {
	return func() Transform {
		seen := map[string]*unstructured.Unstructured{}
		return func(all objects) objects {
			rendered := map[string]bool{}
			for _, o := range all {
				rendered[named(o)] = true
				if slices.Contains(parts, PartOf(o)) {
					seen[named(o)] = o.DeepCopy()
				}
			}
			for _, name := range slices.Sorted(maps.Keys(seen)) {
				if !rendered[name] {
					all = append(all, seen[name].DeepCopy())
				}
			}
			return all
		}
	}
}

// first renders objects of those parts as they were the first time, as long as
// they are rendered at all.
func first(parts ...Part) func() Transform {
	return func() Transform {
		seen := map[string]*unstructured.Unstructured{}
		return func(all objects) objects {
			for i, o := range all {
				if !slices.Contains(parts, PartOf(o)) {
					continue
				}
				if seen[named(o)] == nil {
					seen[named(o)] = o.DeepCopy()
				}
				all[i] = seen[named(o)].DeepCopy()
			}
			return all
		}
	}
}

// hasty renders nothing any more once something has been withdrawn.
func hasty() Transform {
	seen := map[string]bool{}
	return func(all objects) objects {
		now := map[string]bool{}
		for _, o := range all {
			now[named(o)] = true
		}
		for name := range seen {
			if !now[name] {
				return nil
			}
		}
		seen = now
		return all
	}
}

func named(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}
