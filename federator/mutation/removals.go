package mutation

// removal is a field that is left out.
type removal struct {
	part       Part
	field      string
	widens     bool
	equivalent string
}

// Proofs that more than one removal shares.
const (
	oneAnyway    = "the destination has one port, and Istio takes the only port of a host that has one"
	namedAnyway  = "Istio tells the protocol from the port's name, http…, where appProtocol or protocol is not set"
	grantAnyway  = "every listener of the gateway comes with a grant (TestAGatewayIsDeniedBeforeItListens), and once one ALLOW policy selects a workload what none of them matches is denied"
	boundAnyway  = "a route that names gateways is bound to those alone, and the name without a namespace means one of its own namespace; exportTo adds nothing to who can use it"
	foreignRule  = "the rule asks for names that only the other gateway's listener admits, by SNI and, at the ingress gateway, by a principal of another trust domain: it matches nothing at any other workload of the gateways' namespace"
	noRules      = "to Istio a policy whose list of rules is empty and one that has none are the same: one that never matches"
	defaultValue = "it is Kubernetes' or Istio's default for the field"
)

// removals leave out each field that is rendered, one at a time: a test holds
// the list against the seed's objects. Many are refused by the API server,
// which is as good as noticed.
func removals() []Mutation {
	var all []Mutation
	for _, r := range fields() {
		all = append(all, Mutation{
			Name: r.part.without(r.field), Part: r.part, Widens: r.widens, Equivalent: r.equivalent, New: always(remove(r.part, r.field)),
		})
	}
	for _, part := range Parts() {
		for _, field := range needed()[part] {
			all = append(all, Mutation{
				Name: part.without(field), Part: part, Equivalent: harmless()[part.without(field)], New: always(remove(part, field)),
			})
		}
	}
	return all
}

func (p Part) without(field string) string { return string(p) + " without " + field }

func fields() []removal {
	return []removal{
		{IngressDeny, "action", false, defaultValue},
		{IngressDeny, "rules", false, noRules},
		{IngressDeny, "selector", false, "without grants for them the other workloads of the gateways' namespace are gateways, and nothing may be called there that nobody has granted"},
		{Grant, "action", false, defaultValue},
		{Grant, "rules", false, ""},
		{Grant, "rules[].from", true, ""},
		{Grant, "rules[].to", true, ""},
		{Grant, "rules[].to[].operation.hosts", true, ""},
		{Grant, "rules[].to[].operation.methods", true, ""},
		{Grant, "rules[].to[].operation.paths", true, ""},
		{Grant, "rules[].when", false, ""},
		{Grant, "selector", false, foreignRule},
		{Route, "exportTo", false, boundAnyway},
		{Route, "gateways", false, ""},
		{Route, "http[].match", false, ""},
		{Route, "http[].rewrite", false, ""},
		{Route, "http[].rewrite.authority", false, ""},
		{Route, "http[].rewrite.uri", false, ""},
		{Route, "http[].route[].destination.port", false, oneAnyway},
		{Route, "http[].route[].destination.subset", true, ""},
		{IngressListener, "servers[].tls.subjectAltNames", false, ""},
		{IngressListener, "servers[].tls.minProtocolVersion", false, defaultValue + ": a gateway's servers take TLS 1.2 and later"},

		{EgressDeny, "action", false, defaultValue},
		{EgressDeny, "rules", false, noRules},
		{EgressDeny, "selector", false, "without grants for them the other workloads of the gateways' namespace are gateways, and nothing may be called there that nobody has granted"},
		{EgressGrant, "action", false, defaultValue},
		{EgressGrant, "rules", false, ""},
		{EgressGrant, "rules[].from", true, ""},
		{EgressGrant, "rules[].to", true, ""},
		{EgressGrant, "rules[].when", true, ""},
		{EgressGrant, "selector", false, foreignRule},
		{EgressRoute, "exportTo", false, boundAnyway},
		{EgressRoute, "gateways", false, ""},
		{EgressRoute, "http[].match", false, "it matches every path, as no match does"},
		{EgressRoute, "http[].rewrite", false, ""},
		{EgressRoute, "http[].rewrite.authority", false, ""},
		{EgressRoute, "http[].rewrite.uri", false, ""},
		{EgressRoute, "http[].route[].destination.port", false, oneAnyway},
		{Peer, "exportTo", false, "who could see the name has no certificate that the peer's gateway admits: a sidecar speaks plain HTTP to it, with or without the entry, and no TLS server takes that (boundary.feature tries it from workloads)"},
		{Peer, "resolution", false, ""},
		{Peer, "ports[].protocol", false, namedAnyway},
		{PeerTLS, "exportTo", false, "no workload but the gateways knows the host (the ServiceEntry is not exported), and a rule for a host that nobody knows does nothing"},
		{PeerTLS, "trafficPolicy", true, ""},
		{PeerTLS, "trafficPolicy.tls", true, ""},
		{PeerTLS, "trafficPolicy.tls.insecureSkipVerify", false, defaultValue},
		{PeerTLS, "trafficPolicy.tls.mode", true, ""},
		{PeerTLS, "trafficPolicy.tls.sni", false, "Istio then takes the authority for SNI (auto_sni), which the route has set to the same name"},
		{PeerTLS, "trafficPolicy.tls.subjectAltNames", true, ""},
		{EgressTLS, "exportTo", false, "who is not of a consuming namespace is refused by the grant, whoever can see the rule"},
		{EgressTLS, "subsets", false, ""},
		{EgressTLS, "subsets[].trafficPolicy", false, ""},
		{EgressTLS, "subsets[].trafficPolicy.portLevelSettings[].tls.sni", false, ""},
		{EgressTLS, "subsets[].trafficPolicy.portLevelSettings[].tls.mode", false, ""},
		{Placeholder, "ports[].appProtocol", false, namedAnyway},
		{Placeholder, "ports[].name", false, "the protocol is told from appProtocol, and a single port needs no name"},
		{Placeholder, "ports[].protocol", false, defaultValue},
		{Placeholder, "ports[].targetPort", false, defaultValue},
		{Placeholder, "type", false, defaultValue},
		{ConsumerRoute, "exportTo", true, ""},
		{ConsumerRoute, "http[].match", true, ""},
		{ConsumerRoute, "http[].match[].headers", true, ""},
		{ConsumerRoute, "http[].match[].port", false, "the local service has one port: no request of the host has another"},
		{ConsumerRoute, "http[].rewrite", false, ""},
		{ConsumerRoute, "http[].route[].destination.port", false, ""},
		{ConsumerRoute, "http[].route[].destination.subset", false, ""},
	}
}

// harmless are proofs for fields that only seem to be needed.
func harmless() map[string]string {
	return map[string]string{
		IngressListener.without("selector"): "the port is then open at the namespace's other gateways, too; their Services do not have it, so that no peer can reach it (federator verify finds the object)",
		EgressListener.without("selector"):  "the port is then open at the namespace's other gateways, too, for the mesh's own certificates; their Services do not have it (federator verify finds the object)",
	}
}

// needed are fields without which an object is refused, or does nothing.
func needed() map[Part][]string {
	return map[Part][]string{
		ConsumerRoute:   {"hosts", "http", "http[].route", "http[].route[].destination", "http[].route[].destination.host", "http[].route[].weight"},
		EgressGrant:     {"rules[].when[].key", "rules[].when[].values"},
		EgressListener:  {"selector", "servers", "servers[].hosts", "servers[].port", "servers[].port.name", "servers[].port.number", "servers[].port.protocol", "servers[].tls"},
		EgressRoute:     {"hosts", "http", "http[].route", "http[].route[].destination.host"},
		EgressTLS:       {"host", "subsets[].name", "subsets[].trafficPolicy.portLevelSettings[].port", "subsets[].trafficPolicy.portLevelSettings[].tls"},
		Grant:           {"rules[].when[].key", "rules[].when[].values"},
		IngressListener: {"selector", "servers", "servers[].hosts", "servers[].port", "servers[].port.name", "servers[].port.number", "servers[].port.protocol", "servers[].tls", "servers[].tls.credentialName", "servers[].tls.mode"},
		Peer:            {"endpoints", "hosts", "ports", "ports[].name", "ports[].number"},
		PeerTLS:         {"host", "trafficPolicy.tls.credentialName"},
		Placeholder:     {"ports", "ports[].port"},
		Route:           {"hosts", "http", "http[].route", "http[].route[].destination.host"},
	}
}

// dropped leave out all objects of one part.
func dropped() []Mutation {
	var all []Mutation
	for _, part := range Parts() {
		m := Mutation{Name: "no " + string(part), Part: part, New: always(drop(part))}
		switch part {
		case Several:
			continue
		case IngressDeny, EgressDeny:
			m.Equivalent = grantAnyway
		case PeerTLS:
			m.Widens = true
		}
		all = append(all, m)
	}
	return all
}
