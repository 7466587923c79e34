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
// that is refused for its path must still be able to withdraw a peer. It is
// false when nothing would be left.
func narrow(before, now item) (item, bool) {
	if before.exposure == nil || now.exposure == nil {
		return before, true
	}
	out := *before.exposure
	out.Spec.Consumers = nil
	for _, c := range before.exposure.Spec.Consumers {
		i := slices.IndexFunc(now.exposure.Spec.Consumers, func(n api.Consumer) bool { return n.Peer == c.Peer })
		if i < 0 {
			continue
		}
		methods := now.exposure.Spec.Consumers[i].Methods
		c.Methods = slices.DeleteFunc(slices.Clone(c.Methods), func(m string) bool { return !slices.Contains(methods, m) })
		if len(c.Methods) > 0 {
			out.Spec.Consumers = append(out.Spec.Consumers, c)
		}
	}
	return item{key: before.key, exposure: &out}, len(out.Spec.Consumers) > 0
}
