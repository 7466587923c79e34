package mutation

import "strings"

// consuming are faults on the side that consumes.
func consuming() []Mutation {
	widened := func(name string, part Part, t Transform) Mutation {
		return Mutation{Name: name, Part: part, Widens: true, New: always(t)}
	}
	narrowed := func(name string, part Part, t Transform) Mutation {
		return Mutation{Name: name, Part: part, New: always(t)}
	}
	const headers = "http[].match[].headers"
	return []Mutation{
		widened("the peer's certificate is not verified", PeerTLS, both(
			remove(PeerTLS, "trafficPolicy.tls.subjectAltNames"), set(PeerTLS, "trafficPolicy.tls.insecureSkipVerify", true))),
		widened("plain HTTP to the peer", PeerTLS, set(PeerTLS, "trafficPolicy.tls", mapping{"mode": "DISABLE"})),
		narrowed("no client certificate is shown to the peer", PeerTLS, both(
			set(PeerTLS, "trafficPolicy.tls.mode", "SIMPLE"), remove(PeerTLS, "trafficPolicy.tls.credentialName"))),
		narrowed("another name is expected of the peer", PeerTLS, set(PeerTLS, "trafficPolicy.tls.subjectAltNames", list("spiffe://c9.example.com/another"))),
		narrowed("another SNI is sent to the peer", PeerTLS, set(PeerTLS, "trafficPolicy.tls.sni", "c9.example.com")),
		widened("plain HTTP to the egress gateway, from anybody", Several, plaintextHop()),
		narrowed("the address of a peer that has moved", Peer, set(Peer, "endpoints", list(mapping{"address": "192.0.2.1"}))),
		narrowed("one address of the peer too many, and nobody there", Peer, update(Peer, "endpoints", func(old any) any {
			endpoints, _ := old.([]any)
			return append(endpoints, mapping{"address": "192.0.2.1"})
		})),
		narrowed("another path of the peer", EgressRoute, update(EgressRoute, "http[].rewrite.uri", text(func(p string) string { return strings.Replace(p, "/v2/", "/v3/", 1) }))),
		narrowed("the local prefix stays in the path", EgressRoute, update(EgressRoute, "http[].rewrite.uri", text(func(p string) string { return p + "local/" }))),
		widened("a header that begins alike decides", ConsumerRoute, update(ConsumerRoute, headers, func(old any) any {
			all, _ := old.(map[string]any)
			for name, m := range all {
				if exact, is := m.(map[string]any)["exact"]; is {
					all[name] = mapping{"prefix": exact}
				}
			}
			return all
		})),
		widened("whoever has the header at all leaves", ConsumerRoute, update(ConsumerRoute, headers, func(old any) any {
			all, _ := old.(map[string]any)
			for name := range all {
				all[name] = mapping{"regex": ".*"}
			}
			return all
		})),
		narrowed("nobody leaves", ConsumerRoute, update(ConsumerRoute, "http", func(old any) any {
			routes, _ := old.([]any)
			for _, r := range routes {
				at(r, "match[].headers", func(owner map[string]any, field string) {
					owner[field] = mapping{"end-user": mapping{"exact": "nobody"}}
				})
			}
			return routes
		})),
		widened("everything leaves, whatever its weight", ConsumerRoute, update(ConsumerRoute, "http[].route", skewed(100))),
		widened("one in ten of those who stay leaves", ConsumerRoute, update(ConsumerRoute, "http", tithed)),
		narrowed("two thirds leave instead of a half", ConsumerRoute, update(ConsumerRoute, "http[].route", skewed(67))),
		{
			Name: "requests that stay are copied to the peer", Part: ConsumerRoute, New: always(update(ConsumerRoute, "http", copied)),
			Equivalent: "Envoy adds -shadow to the authority of a copy, which is no name that the egress gateway's grant admits: the copy ends there",
		},
		narrowed("the callers' requests get a header of the peer's", EgressRoute, set(EgressRoute, "http[].headers", mapping{
			"request": mapping{"set": mapping{"baggage": "added=1"}},
		})),
		narrowed("the callers' requests lose a header on the way out", EgressRoute, set(EgressRoute, "http[].headers", mapping{
			"request": mapping{"remove": list("end-user")},
		})),
		narrowed("the peer's answers get a header", EgressRoute, set(EgressRoute, "http[].headers", mapping{
			"response": mapping{"set": mapping{"cache-control": "public"}},
		})),
		narrowed("a request is tried again when the peer refuses it", EgressRoute, set(EgressRoute, "http[].retries", mapping{
			"attempts": int64(3), "retryOn": "5xx,403", "retryRemoteLocalities": false,
		})),
	}
}

// plaintextHop opens the egress gateway to whoever reaches it.
func plaintextHop() Transform {
	return both(
		update(EgressListener, "servers", func(old any) any {
			servers, _ := old.([]any)
			for _, s := range servers {
				server, _ := s.(map[string]any)
				delete(server, "tls")
				server["port"] = mapping{"name": "http-federation", "number": int64(443), "protocol": "HTTP"}
			}
			return servers
		}),
		set(EgressTLS, "subsets[].trafficPolicy.portLevelSettings[].tls", mapping{"mode": "DISABLE"}),
		remove(EgressGrant, "rules[].from"), remove(EgressGrant, "rules[].when"),
	)
}

// skewed gives the first of two destinations all but the remote share, which is
// the one that has no port of a local service.
func skewed(remote int64) func(any) any {
	return func(old any) any {
		to, _ := old.([]any)
		if len(to) != 2 {
			return old
		}
		for _, d := range to {
			destination, _ := d.(map[string]any)
			share := 100 - remote
			if leaves(destination) {
				share = remote
			}
			destination["weight"] = share
		}
		return to
	}
}

// wayOut is the destination by which some of the routes lead out of the mesh; nil
// is none.
func wayOut(routes []any) (out any) {
	for _, r := range routes {
		at(r, "route[].destination", func(owner map[string]any, _ string) {
			if leaves(owner) {
				out = owner["destination"]
			}
		})
	}
	return out
}

// leaves says whether a destination is the egress gateway.
func leaves(destination map[string]any) bool {
	inner, _ := destination["destination"].(map[string]any)
	host, _ := inner["host"].(string)
	return strings.Contains(host, "egressgateway")
}

// tithed adds the way out, with a tenth of the weight, to each route that has one
// destination within the mesh.
func tithed(old any) any {
	routes, _ := old.([]any)
	out := wayOut(routes)
	for _, r := range routes {
		at(r, "route", func(owner map[string]any, field string) {
			to, _ := owner[field].([]any)
			if out == nil || len(to) != 1 {
				return
			}
			if stays, _ := to[0].(map[string]any); stays != nil && !leaves(stays) {
				stays["weight"] = int64(90)
				owner[field] = append(to, mapping{"destination": out, "weight": int64(10)})
			}
		})
	}
	return routes
}

// copied has each route without a way out mirror to the one that has.
func copied(old any) any {
	routes, _ := old.([]any)
	out := wayOut(routes)
	for _, r := range routes {
		route, _ := r.(map[string]any)
		staying := true
		at(r, "route[].destination", func(owner map[string]any, _ string) { staying = staying && !leaves(owner) })
		if staying && out != nil {
			route["mirror"] = out
		}
	}
	return routes
}
