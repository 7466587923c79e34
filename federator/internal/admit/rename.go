package admit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/federator/api"
)

// vetoRenamed refuses a peer in use that says it is somebody else: grants are
// made to an identity, and a change of it hands all of them to another party in
// one write. A person confirms it by naming the new identity in an annotation. An
// identity that is taken away is no rename: that only narrows.
func (d *decider) vetoRenamed() {
	vetoed := map[api.Key][]api.Problem{}
	for key, bad := range d.Vetoed {
		vetoed[key] = bad
	}
	for i := range d.Wish.Peers {
		p := &d.Wish.Peers[i]
		before, known := d.Held.Peer(p.Name)
		if !known || !d.inUse(p.Name) {
			continue
		}
		for _, id := range []struct{ field, was, is string }{
			{"spec.clientIdentity", before.Spec.ClientIdentity, p.Spec.ClientIdentity},
			{"spec.serverIdentity", before.Spec.ServerIdentity, p.Spec.ServerIdentity},
		} {
			if id.was == "" || id.is == "" || id.was == id.is || confirmed(p, id.is) {
				continue
			}
			vetoed[p.Key()] = append(vetoed[p.Key()], api.Problem{
				Declaration: p.Key().String(), Field: id.field, Cause: api.CauseIdentityChanged,
				Reason: fmt.Sprintf("was %s and is %s now, while declarations rely on it; confirm it with the annotation %s: %s, or make a new Peer",
					id.was, id.is, api.AnnotationConfirmIdentity, id.is),
			})
		}
	}
	d.Vetoed = vetoed
}

func confirmed(p *api.Peer, identity string) bool {
	return slices.Contains(strings.Split(p.Annotations[api.AnnotationConfirmIdentity], ","), identity)
}

// inUse says whether something in force and still wished for names the peer.
func (d *decider) inUse(peer string) bool {
	wished := byKey(items(d.Wish))
	grants := func(e api.Exposure) bool {
		return slices.ContainsFunc(e.Spec.Consumers, func(c api.Consumer) bool { return c.Peer == peer })
	}
	for _, e := range d.Held.Exposures {
		if now, ok := wished[e.Key()]; ok && grants(e) && grants(*now.exposure) {
			return true
		}
	}
	for _, c := range d.Held.Consumptions {
		if now, ok := wished[c.Key()]; ok && c.Spec.From.Peer == peer && now.consumption.Spec.From.Peer == peer {
			return true
		}
	}
	return false
}
