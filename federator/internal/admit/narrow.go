package admit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meshfed/meshfed/federator/api"
)

// lessConsumers is an exposure without the consumers that the problems are
// about: that one peer is gone must not take the service from the others. It is
// false when a problem is about anything else, or nobody would be left.
func lessConsumers(i item, bad []api.Problem) (item, bool) {
	if i.exposure == nil {
		return item{}, false
	}
	out := map[int]bool{}
	for _, p := range bad {
		n, ok := consumerIndex(p.Field)
		if !ok {
			return item{}, false
		}
		out[n] = true
	}
	part := *i.exposure
	part.Spec.Consumers = nil
	for n, c := range i.exposure.Spec.Consumers {
		if !out[n] {
			part.Spec.Consumers = append(part.Spec.Consumers, c)
		}
	}
	return item{key: i.key, exposure: &part}, len(part.Spec.Consumers) > 0
}

// consumerIndex reads 3 from spec.consumers[3].peer.
func consumerIndex(field string) (int, bool) {
	rest, ok := strings.CutPrefix(field, "spec.consumers[")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, "]")
	n, err := strconv.Atoi(number)
	return n, err == nil
}

// narrow is the version in force less what the newer one takes away: a newer one
// that is refused for its path must still be able to withdraw a peer, or some of
// what the peer may call. It is false when nothing would be left.
func narrow(before, now item) (item, bool) {
	switch {
	case before.peer != nil && now.peer != nil:
		return narrowPeer(before, now.peer.Spec)
	case before.exposure == nil || now.exposure == nil:
		return before, true
	}
	out := *before.exposure
	out.Spec.Consumers = nil
	room := api.MaxPathText
	for _, c := range before.exposure.Spec.Consumers {
		i := slices.IndexFunc(now.exposure.Spec.Consumers, func(n api.Consumer) bool { return n.Peer == c.Peer })
		if i < 0 {
			continue
		}
		if both, some := grantedByBoth(c, now.exposure.Spec.Consumers[i], &room); some {
			out.Spec.Consumers = append(out.Spec.Consumers, both)
		}
	}
	return item{key: before.key, exposure: &out}, len(out.Spec.Consumers) > 0
}

// narrowPeer takes the identities that the newer version gives up: whoever has one
// of them is the peer no longer, whatever else the newer version says.
func narrowPeer(before item, now api.PeerSpec) (item, bool) {
	out := *before.peer
	if now.ClientIdentity == "" {
		out.Spec.ClientIdentity, out.Spec.Ingress = "", nil
	}
	if now.ServerIdentity == "" {
		out.Spec.ServerIdentity = ""
	}
	return item{key: before.key, peer: &out}, out.Spec.ClientIdentity != "" || out.Spec.ServerIdentity != ""
}

// grantedByBoth is what two versions of one consumer both grant, as far as there
// is room for its paths; false when that is nothing. The newer one need not be
// valid.
func grantedByBoth(before, now api.Consumer, room *int) (api.Consumer, bool) {
	before.Methods = slices.DeleteFunc(slices.Clone(before.Methods), func(m string) bool { return !slices.Contains(now.Methods, m) })
	both, some := pathsOfBoth(before.Paths, now.Paths)
	if !some || len(before.Methods) == 0 {
		return api.Consumer{}, false
	}
	before.Paths = cut(both, room)
	return before, len(before.Paths) > 0 || len(both) == 0
}

// cut keeps the first paths of a list that is too long for an exposure.
func cut(paths []string, room *int) []string {
	for i, p := range paths {
		if i == api.MaxSubPaths || len(p) > *room {
			return paths[:i]
		}
		*room -= len(p)
	}
	return paths
}

// pathsOfBoth are the paths of either list that the other one covers. A list
// without any is the whole prefix, so that having none left must be told from it.
func pathsOfBoth(before, now []string) (both []string, some bool) {
	if len(now) == 0 {
		return before, true
	}
	for _, p := range before {
		if covers(now, p) {
			both = append(both, p)
		}
	}
	for _, p := range now {
		if (len(before) == 0 || covers(before, p)) && !slices.Contains(both, p) && api.IsSubPath(p) {
			both = append(both, p)
		}
	}
	return both, len(both) > 0
}

// covers says whether some path of a list covers p.
func covers(list []string, p string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return api.Covers(l, p) })
}
