package crd

// ConditionType is the closed set of a declaration's conditions, each meaning
// what it means in Kubernetes' gateway API.
type ConditionType string

const (
	// Accepted: the declaration is valid beside all the others.
	Accepted ConditionType = "Accepted"
	// Programmed: the cluster holds every object that it asks for.
	Programmed ConditionType = "Programmed"
	// Ready: it is programmed, and the gateway that enforces it has a ready pod.
	Ready ConditionType = "Ready"
)

// ConditionTypes lists the conditions, each one resting on those before it.
func ConditionTypes() []ConditionType { return []ConditionType{Accepted, Programmed, Ready} }

// Reason is the closed set of a condition's reasons. Ready repeats the reason of
// the condition that it fails for: it is what kubectl shows as the state.
type Reason string

// Reasons of a condition that holds.
const (
	ReasonAccepted   Reason = "Accepted"
	ReasonProgrammed Reason = "Programmed"
	ReasonReady      Reason = "Ready"
	// ReasonPartiallyAccepted: some consumers of an exposure are left out.
	ReasonPartiallyAccepted Reason = "PartiallyAccepted"
	// ReasonUnused: a valid peer that no declaration names yet.
	ReasonUnused Reason = "Unused"
)

// Reasons why a declaration is not accepted.
const (
	// ReasonInvalid: wrong by itself, whatever else there is.
	ReasonInvalid Reason = "Invalid"
	// ReasonPeerNotFound: it names a peer that is not there, or that was refused.
	ReasonPeerNotFound Reason = "PeerNotFound"
	// ReasonPathClaimed: another exposure has this path, or one that contains it
	// or is contained in it.
	ReasonPathClaimed Reason = "PathClaimed"
	// ReasonHostClaimed: another consumption serves the same local name.
	ReasonHostClaimed Reason = "HostClaimed"
	// ReasonIdentityClaimed: another peer has this identity or SNI.
	ReasonIdentityClaimed Reason = "IdentityClaimed"
	// ReasonIdentityChanged: a peer in use says that it is somebody else.
	ReasonIdentityChanged Reason = "IdentityChanged"
	// ReasonPathNotOffered: the peer's list of offers lacks the consumed path.
	ReasonPathNotOffered Reason = "PathNotOffered"
	// ReasonNoGateway: the Mesh lacks the gateway that this needs.
	ReasonNoGateway Reason = "NoGateway"
	// ReasonNoMesh: no Mesh is there, or the one that is declared is not accepted or not
	// this controller's to look after, so that nothing new is let in.
	ReasonNoMesh Reason = "NoMesh"
	// ReasonSecondMesh: another Mesh is this cluster's boundary already.
	ReasonSecondMesh Reason = "SecondMesh"
	// ReasonNamespaceNotManaged: this controller has no rights in that namespace, or it
	// looks after another revision of Istio than the Mesh names.
	ReasonNamespaceNotManaged Reason = "NamespaceNotManaged"
)

// Reasons why a declaration is not programmed, or not ready.
const (
	// ReasonClusterNotReady: the cluster lacks something that it needs (preflight), or
	// cannot rehearse it for the time being, as when a webhook is away.
	ReasonClusterNotReady Reason = "ClusterNotReady"
	// ReasonConflict: the cluster holds something else than what is declared. Another
	// owner holds an object or a field, or opens what is to be shut; or the API server
	// refuses the object, or cannot mend one that differs.
	ReasonConflict Reason = "Conflict"
	// ReasonNotWithdrawn: what nobody declares any more is still there, because
	// somebody has replaced it, the API server refuses to delete it or no inventory
	// lists it. A Mesh bears it.
	ReasonNotWithdrawn Reason = "NotWithdrawn"
	// ReasonWriteFailed: the API server refused a write or could not be reached.
	ReasonWriteFailed Reason = "WriteFailed"
	// ReasonGatewayNotReady: no pod of the gateway that enforces it is ready.
	ReasonGatewayNotReady Reason = "GatewayNotReady"
)

// Reasons lists them all.
func Reasons() []Reason {
	return []Reason{
		ReasonAccepted, ReasonProgrammed, ReasonReady, ReasonPartiallyAccepted, ReasonUnused,
		ReasonInvalid, ReasonPeerNotFound, ReasonPathClaimed, ReasonHostClaimed, ReasonIdentityClaimed,
		ReasonIdentityChanged, ReasonPathNotOffered, ReasonNoGateway, ReasonNoMesh, ReasonSecondMesh,
		ReasonNamespaceNotManaged, ReasonClusterNotReady, ReasonConflict, ReasonNotWithdrawn,
		ReasonWriteFailed, ReasonGatewayNotReady,
	}
}
