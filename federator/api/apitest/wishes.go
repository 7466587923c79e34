// Package apitest holds declarations, good and bad, for every test that must
// judge them alike: the command line's, the API server's and the controller's.
package apitest

import (
	"fmt"
	"maps"
	"strings"
)

// Valid is the smallest wish that uses every kind; sad paths replace one piece.
const Valid = `apiVersion: federation.meshfed.io/v1alpha1
kind: Mesh
metadata: {name: c1}
spec:
  host: c1.example.com
  ingress: {namespace: gw, service: in, selector: {istio: in}, port: 15443, credentialName: certs}
  egress: {namespace: gw, service: out, selector: {istio: out}, port: 443, credentialName: certs}
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c2}
spec:
  clientIdentity: spiffe://c2.example.com/egress
  serverIdentity: spiffe://c2.example.com/ingress
  address: {host: 172.30.2.1, port: 15443}
  sni: c2.example.com
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Exposure
metadata: {name: reviews, namespace: bookinfo}
spec:
  service: {name: myreviews, port: 9080, subset: v2}
  path: /bookinfo/reviews/
  consumers:
  - {peer: c2, methods: [GET], paths: [reviews/]}
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Consumption
metadata: {name: ratings, namespace: default}
spec:
  service: {name: ratings, port: 9080}
  from: {peer: c2, path: /bookinfo/ratings/}
  routes:
  - match: {headers: [{name: end-user, exact: jason}]}
    to: [{target: remote, weight: 100}]
  - to: [{target: local, subset: v1, weight: 50}, {target: remote, weight: 50}]
`

// Case replaces one piece of Valid and says what must come back.
type Case struct {
	// Old is the piece and New what stands there instead.
	Old, New string
	// Want is a piece of the answer: place, field or reason.
	Want string
}

// Text is the whole wish of the case.
func (c Case) Text() string { return strings.Replace(Valid, c.Old, c.New, 1) }

// many repeats a piece, with a number that tells one from the other.
func many(piece string, n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, piece, i)
	}
	return out.String()
}

// entrance gives the peer one of its own, second after another peer's.
func entrance(ingress, want string) Case {
	return Case{"  sni: c2.example.com", "  sni: c2.example.com\n  ingress: " + ingress, want}
}

func second(ingress, want string) Case {
	c := entrance(ingress, want)
	c.Old = `apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c2}
spec:
`
	c.New = `apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c3}
spec:
  clientIdentity: spiffe://c3.example.com/egress
  ingress: {host: c3.c1.example.com, credentialName: c3-certs}
---
` + c.Old + "  ingress: " + ingress + "\n"
	return c
}

func badEntrances() map[string]Case {
	return map[string]Case{
		"own entrance without a host":       entrance("{credentialName: c2-certs}", "spec.ingress.host: Required"),
		"own entrance without a secret":     entrance("{host: c2.c1.example.com}", "spec.ingress.credentialName: Required"),
		"own entrance for any host":         entrance(`{host: "*.c1.example.com", credentialName: c2-certs}`, "wildcards expose more"),
		"own entrance by an IP":             entrance("{host: 10.0.0.1, credentialName: c2-certs}", "cannot be asked for by SNI"),
		"own entrance of another namespace": entrance("{host: c2.c1.example.com, credentialName: kube-system/certs}", "spec.ingress.credentialName: Invalid"),
		"own entrance by our own host":      entrance("{host: c1.example.com, credentialName: c2-certs}", "is a name of Mesh/c1 already"),
		"own entrance by a peer's name":     entrance("{host: c2.example.com, credentialName: c2-certs}", "is a name of Peer/c2 already"),
		"own entrance by a local name":      entrance("{host: ratings.bookinfo.svc, credentialName: c2-certs}", "is a name of this cluster"),
		"own entrance, everybody's roots":   entrance("{host: c2.c1.example.com, credentialName: certs}", "holds the roots for Mesh/c1 already"),
		"own entrance, everybody's by name": entrance("{host: c2.c1.example.com, credentialName: certs-cacert}", "holds the roots for Mesh/c1 already"),
		"two entrances by one host":         second("{host: c3.c1.example.com, credentialName: c2-certs}", "is a name of Peer/c3 already"),
		"two entrances, one secret":         second("{host: c2.c1.example.com, credentialName: c3-certs}", "either could sign the other's name"),
		"two entrances, one set of roots":   second("{host: c2.c1.example.com, credentialName: c3-certs-cacert}", "either could sign the other's name"),
		"own entrance for nobody":           {"  clientIdentity: spiffe://c2.example.com/egress\n", "  ingress: {host: c2.c1.example.com, credentialName: c2-certs}\n", "nobody can come in by spec.ingress"},
	}
}

// Bad are the sad paths, by name.
func Bad() map[string]Case {
	bad := badEntrances()
	maps.Copy(bad, badDeclarations())
	return bad
}

func badDeclarations() map[string]Case {
	return map[string]Case{
		"unknown field":              {"  path: /bookinfo/reviews/", "  path: /bookinfo/reviews/\n  pth: x", `wish.yaml:24 (document 3): spec.pth: unknown field`},
		"unknown nested field":       {"methods: [GET]", "methods: [GET], verbs: [GET]", `spec.consumers[0].verbs`},
		"field in the wrong case":    {"  path: /bookinfo/reviews/", "  Path: /bookinfo/reviews/", `unknown field "spec.Path"`},
		"wrong version":              {"v1alpha1\nkind: Peer", "v1\nkind: Peer", `wish.yaml:9 (document 2): apiVersion: is "federation.meshfed.io/v1"`},
		"unknown kind":               {"kind: Exposure", "kind: Export", `kind: "Export" is unknown`},
		"second mesh":                {"kind: Peer", "kind: Mesh", "a second Mesh"},
		"wrong type":                 {"port: 9080, subset: v2", "port: many, subset: v2", "document 3"},
		"duplicate key":              {"  path: /bookinfo/reviews/", "  path: /bookinfo/reviews/\n  path: /x/", "already defined"},
		"no name":                    {"metadata: {name: c2}", "metadata: {}", "metadata.name: Required"},
		"peer with a namespace":      {"metadata: {name: c2}", "metadata: {name: c2, namespace: x}", "metadata.namespace: Forbidden"},
		"exposure without namespace": {"name: reviews, namespace: bookinfo", "name: reviews", "metadata.namespace: Required"},
		"wildcard host":              {"host: c1.example.com", `host: "*.example.com"`, "wildcards expose more"},
		"host is an IP":              {"host: c1.example.com", "host: 10.0.0.1", "cannot be asked for by SNI"},
		"host in upper case":         {"host: c1.example.com", "host: C1.example.com", "spec.host: Invalid"},
		"host with a trailing dot":   {"host: c1.example.com", "host: c1.example.com.", "spec.host: Invalid"},
		"no host":                    {"  host: c1.example.com\n", "", "spec.host: Required"},
		"empty selector":             {"selector: {istio: in}", "selector: {}", "spec.ingress.selector: Required"},
		"selector without value":     {"selector: {istio: in}", `selector: {istio: ""}`, "does not single out"},
		"port zero":                  {"port: 15443, credentialName", "port: 0, credentialName", "spec.ingress.port: Invalid"},
		"port too big":               {"port: 15443, credentialName", "port: 65536, credentialName", "spec.ingress.port: Invalid"},
		"no credential":              {"selector: {istio: out}, port: 443, credentialName: certs", "selector: {istio: out}, port: 443", "spec.egress.credentialName: Required"},
		"no ingress but an exposure": {"  ingress: {namespace: gw, service: in, selector: {istio: in}, port: 15443, credentialName: certs}\n", "", "the Mesh has no spec.ingress"},
		"no egress but a consumer":   {"  egress: {namespace: gw, service: out, selector: {istio: out}, port: 443, credentialName: certs}\n", "", "the Mesh has no spec.egress"},

		"wildcard identity":         {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: spiffe://c2.example.com/*", "wildcards admit identities"},
		"identity without scheme":   {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: c2.example.com/egress", "is no SPIFFE ID"},
		"identity without path":     {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: spiffe://c2.example.com", "is no SPIFFE ID"},
		"identity with a query":     {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: spiffe://c2.example.com/egress?x=1", "is no SPIFFE ID"},
		"identity with dots":        {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: spiffe://c2.example.com/a/../egress", "is no SPIFFE ID"},
		"identity in upper case":    {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: spiffe://C2.example.com/egress", "is no SPIFFE ID"},
		"identity of cluster.local": {"clientIdentity: spiffe://c2.example.com/egress", "clientIdentity: spiffe://cluster.local/ns/a/sa/b", "every mesh's own"},
		"peer has our own host":     {"sni: c2.example.com", "sni: c1.example.com", "this mesh's own host"},
		"no client identity":        {"  clientIdentity: spiffe://c2.example.com/egress\n", "", "no spec.clientIdentity"},
		"no server identity":        {"  serverIdentity: spiffe://c2.example.com/ingress\n", "", "no spec.serverIdentity"},
		"no address":                {"  address: {host: 172.30.2.1, port: 15443}\n", "", "no spec.address"},
		"no sni":                    {"  sni: c2.example.com\n", "", "no spec.sni"},

		"unknown peer":           {"peer: c2, methods", "peer: c9, methods", `wish.yaml:25 (document 3): Exposure/bookinfo/reviews: spec.consumers[0].peer: Not found: "c9"`},
		"no consumers":           {"  consumers:\n  - {peer: c2, methods: [GET], paths: [reviews/]}", "  consumers: []", "leave the exposure out"},
		"no methods":             {"methods: [GET]", "methods: []", "grants nothing by accident"},
		"method in lower case":   {"methods: [GET]", "methods: [get]", `Unsupported value: "get"`},
		"method star":            {"methods: [GET]", `methods: ["*"]`, "Unsupported value"},
		"CONNECT":                {"methods: [GET]", "methods: [CONNECT]", "Unsupported value"},
		"path without end":       {"path: /bookinfo/reviews/", "path: /bookinfo/reviews", "must begin and end with /"},
		"path without beginning": {"path: /bookinfo/reviews/", "path: bookinfo/reviews/", "must begin and end with /"},
		"whole host":             {"path: /bookinfo/reviews/", "path: /", "is the whole host"},
		"path with dots":         {"path: /bookinfo/reviews/", "path: /bookinfo/../reviews/", ". or .. segment"},
		"path with an escape":    {"path: /bookinfo/reviews/", "path: /bookinfo%2freviews/", "may hold only"},
		"path with a star":       {"path: /bookinfo/reviews/", "path: /bookinfo/*/", "may hold only"},
		"path with empty part":   {"path: /bookinfo/reviews/", "path: /bookinfo//reviews/", "empty segment"},
		"absolute sub-path":      {"paths: [reviews/]", "paths: [/reviews/]", "relative to the public prefix"},
		"sub-path that climbs":   {"paths: [reviews/]", "paths: [../ratings/]", ". or .. segment"},
		"sub-path with a star":   {"paths: [reviews/]", `paths: ["reviews/*"]`, "may hold only"},
		"empty sub-path":         {"paths: [reviews/]", `paths: [""]`, "leave paths out"},
		"too many consumers":     {"  - {peer: c2, methods: [GET], paths: [reviews/]}", many("  - {peer: c%d, methods: [GET]}\n", 129), "spec.consumers: Too many: 129: must have at most 128 items"},
		"too many sub-paths":     {"[reviews/]", "[" + many("reviews/%d/, ", 65) + "]", "spec.consumers[0].paths: Too many: 65: must have at most 64 items"},
		"too long sub-paths":     {"[reviews/]", "[" + many(strings.Repeat("r", 1000)+"/%d/, ", 17) + "]", "more than 16384 characters"},

		"offer without end":          {"  sni: c2.example.com", "  sni: c2.example.com\n  offers: [/bookinfo/ratings]", "must begin and end with /"},
		"offer twice":                {"  sni: c2.example.com", "  sni: c2.example.com\n  offers: [/bookinfo/ratings/, /bookinfo/ratings/]", "Duplicate value"},
		"consumed path not offered":  {"  sni: c2.example.com", "  sni: c2.example.com\n  offers: [/bookinfo/reviews/]", "peer c2 does not offer it"},
		"peer path":                  {"path: /bookinfo/ratings/", "path: /bookinfo/ratings", "must begin and end with /"},
		"subset beside the name":     {"service: {name: ratings, port: 9080}", "service: {name: ratings, port: 9080, subset: v1}", "belongs to a local destination"},
		"weights below 100":          {"weight: 50}, {target: remote, weight: 50}", "weight: 50}, {target: remote, weight: 49}", "must add up to 100"},
		"weight zero":                {"subset: v1, weight: 50}", "subset: v1, weight: 0}", "leave out a destination"},
		"weight negative":            {"subset: v1, weight: 50}", "subset: v1, weight: -50}", "must be 1 to 100"},
		"remote subset":              {"{target: remote, weight: 50}", "{target: remote, subset: v9, weight: 50}", "the peer chooses"},
		"unknown target":             {"{target: remote, weight: 50}", "{target: away, weight: 50}", "Unsupported value"},
		"destination twice":          {"{target: local, subset: v1, weight: 50}, {target: remote, weight: 50}", "{target: remote, weight: 50}, {target: remote, weight: 50}", "Duplicate value"},
		"too long matches":           {"  - match:", many("  - match: {headers: [{name: end-user, exact: %d"+strings.Repeat("j", 1000)+"}]}\n    to: [{target: remote, weight: 100}]\n", 17) + "  - match:", "more than 16384 characters"},
		"match without headers":      {"headers: [{name: end-user, exact: jason}]", "headers: []", "matches everything"},
		"header with both":           {"exact: jason", "exact: jason, prefix: j", "exactly one of exact and prefix"},
		"header with neither":        {", exact: jason", "", "exactly one of exact and prefix"},
		"pseudo-header":              {"name: end-user", `name: ":path"`, "header name in lower case"},
		"last route has a match":     {"  - to: [{target: local, subset: v1, weight: 50}, {target: remote, weight: 50}]\n", "", "must take the rest"},
		"earlier route has no match": {"  - match: {headers: [{name: end-user, exact: jason}]}\n    to:", "  - to:", "never reached"},
	}
}
