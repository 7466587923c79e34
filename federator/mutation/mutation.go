package mutation

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/render"
)

// Transform changes rendered objects. It owns them.
type Transform func([]*unstructured.Unstructured) []*unstructured.Unstructured

// Mutation is one fault.
type Mutation struct {
	// Name says what is wrong; unique.
	Name string
	// Part of the boundary that is wrong.
	Part Part
	// Widens is set if somebody gets in, or gets something, that no declaration
	// grants, or a peer or a hop is trusted that nobody has verified.
	Widens bool
	// Lasting is set for a fault in what happens over time, such as a withdrawal
	// that leaves something behind: the objects of one wish alone do not show it.
	Lasting bool
	// Equivalent is the proof that no request and no object of somebody else's can
	// tell the mutation from the original; empty for all others.
	Equivalent string
	// New makes the transformation for one cluster. Some remember what they saw.
	New func() Transform
}

// Part is one kind of object at a boundary, as it stands on one side. The set is
// closed.
type Part string

// The parts.
const (
	IngressDeny     Part = "ingress gateway's default deny"
	IngressListener Part = "ingress gateway's listener"
	Grant           Part = "exposure's grant"
	Route           Part = "exposure's route"
	EgressDeny      Part = "egress gateway's default deny"
	EgressListener  Part = "egress gateway's listener"
	EgressTLS       Part = "way to the egress gateway"
	EgressGrant     Part = "consumption's grant"
	EgressRoute     Part = "consumption's route at the egress gateway"
	Peer            Part = "peer's address"
	PeerTLS         Part = "peer's verification"
	Placeholder     Part = "consumption's local name"
	ConsumerRoute   Part = "consumption's route of the callers"
	// Several is for faults in more than one part.
	Several Part = "several parts"
)

// Parts is the whole vocabulary.
func Parts() []Part {
	return []Part{
		IngressDeny, IngressListener, Grant, Route, EgressDeny, EgressListener, EgressTLS, EgressGrant, EgressRoute,
		Peer, PeerTLS, Placeholder, ConsumerRoute, Several,
	}
}

// PartOf is the part that an object is; "" for one that is none.
func PartOf(o *unstructured.Unstructured) Part {
	here := map[render.Role]Part{
		render.RolePeer: Peer, render.RolePeerTLS: PeerTLS, render.RoleEgressTLS: EgressTLS,
		render.RolePlaceholder: Placeholder, render.RoleConsumerRoute: ConsumerRoute,
	}
	if part, is := here[render.RoleOf(o)]; is {
		return part
	}
	exposing := map[render.Role]Part{
		render.RoleDefaultDeny: IngressDeny, render.RoleListener: IngressListener, render.RoleGrant: Grant, render.RoleRoute: Route,
	}
	consuming := map[render.Role]Part{
		render.RoleDefaultDeny: EgressDeny, render.RoleListener: EgressListener, render.RoleGrant: EgressGrant, render.RoleRoute: EgressRoute,
	}
	switch name := o.GetName(); {
	case strings.HasPrefix(name, "federation-expose-"), strings.HasPrefix(name, render.IngressGateway):
		return exposing[render.RoleOf(o)]
	case strings.HasPrefix(name, "federation-consume-"), strings.HasPrefix(name, render.EgressGateway):
		return consuming[render.RoleOf(o)]
	}
	return ""
}

// All are all mutations, equivalent ones included.
func All() []Mutation {
	return slices.Concat(exposing(), consuming(), lasting(), dropped(), removals())
}
