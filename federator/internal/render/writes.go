package render

// Place is where a rendered object lives. The set is closed: whoever grants the
// engine its rights grants them by place.
type Place string

// The two places.
const (
	// PlaceGateways is the namespace of the private gateways.
	PlaceGateways Place = "gateways"
	// PlaceServices are the namespaces of the declarations.
	PlaceServices Place = "services"
)

// Write is a kind of object that rendering may make.
type Write struct {
	Role             Role
	APIVersion, Kind string
	Place            Place
}

// Writes are all of them. Rendering makes no other; a test compares.
func Writes() []Write {
	return []Write{
		{RoleDefaultDeny, istioSecurity, "AuthorizationPolicy", PlaceGateways},
		{RolePeer, istioNetworking, "ServiceEntry", PlaceGateways},
		{RolePeerTLS, istioNetworking, "DestinationRule", PlaceGateways},
		{RoleEgressTLS, istioNetworking, "DestinationRule", PlaceGateways},
		{RoleGrant, istioSecurity, "AuthorizationPolicy", PlaceGateways},
		{RoleRoute, istioNetworking, "VirtualService", PlaceGateways},
		{RoleListener, istioNetworking, "Gateway", PlaceGateways},
		{RolePlaceholder, "v1", "Service", PlaceServices},
		{RoleConsumerRoute, istioNetworking, "VirtualService", PlaceServices},
	}
}
