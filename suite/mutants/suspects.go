package mutants

import (
	"slices"

	"github.com/meshfed/meshfed/federator/mutation"
)

// The scenarios that notice most, by short names.
const (
	exposed      = "expose/reviews-v2-is-exposed-under-a-path-of-its-own"
	stranger     = "expose/a-mesh-of-the-same-root-that-was-not-named-is-refused"
	sibling      = "expose/another-path-is-refused-path/3"
	longerPath   = "expose/another-path-is-refused-path/4"
	method       = "expose/a-method-that-was-not-granted-is-refused-method/1"
	noCert       = "expose/the-handshake-fails-for-a-caller-with-credentials/1"
	otherSNI     = "expose/the-handshake-fails-for-a-caller-with-credentials/3"
	similarSNI   = "expose/the-handshake-fails-for-a-caller-with-credentials/4"
	oneOfTwo     = "expose/one-of-two-exposures-is-cancelled-and-the-other-one-stays"
	gone         = "expose/a-cancelled-exposure-is-gone"
	boundary     = "boundary/two-services-for-two-peers-with-different-paths-and-methods"
	certificates = "attacks/certificates-that-only-look-right"
	elsewhere    = "attacks/names-that-lead-elsewhere"
	rawPaths     = "attacks/paths-that-two-readers-read-differently"
	takenAway    = "access/a-grant-is-taken-away"
	allFromPeer  = "consume/all-reviews-come-from-c2"
	jason        = "consume/jason-s-reviews-come-from-c2-while-the-others-stay-local"
	names        = "consume/a-request-keeps-its-local-name-in-c1-and-has-c2-s-name-in-c2"
	wrongPeer    = "consume/a-peer-that-is-not-who-it-should-be-gets-no-request"
	sameHeaders  = "consume/a-request-and-its-answer-keep-their-headers-on-the-way"
	triedOnce    = "consume/what-the-peer-refuses-is-not-tried-again"
	outOfReach   = "consume/what-the-peer-does-not-expose-stays-out-of-reach"
	localAgain   = "consume/after-a-cancel-the-reviews-are-local-again"
	half         = "consume/half-of-the-reviews-come-from-c2"
	redStars     = "cancel/ratings-are-withdrawn-and-given-back-the-red-stars-never-notice"
	notMoved     = "namespaces/the-callers-of-another-namespace-are-not-moved"
	ownEntrance  = "entrances/one-peer-s-authority-cannot-make-another-peer-s-name"
	bothEntries  = "entrances/a-peer-that-comes-in-with-all-others-leaves-the-entrances-as-they-are"
	askedWho     = "namespaces/whoever-finds-the-way-to-the-egress-gateway-is-asked-who-he-is-and-for-what"
	localRatings = "ratings/the-local-reviews-v2-has-the-ratings-of-c2"
)

// fewForEquivalent are enough to see that nothing at all is wrong with a mutant
// that is proven to be none: the whole table, or the whole way.
const fewForEquivalent = 2

// suspects are first those that a fault is known to be for, then those of its
// part, so that a fault nobody had in mind is looked for, too.
func suspects(m mutation.Mutation) []string {
	all := byPart(m.Part)
	if m.Equivalent != "" {
		return all[:fewForEquivalent]
	}
	all = slices.Concat(first()[m.Name], all)
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

func byPart(part mutation.Part) []string {
	exposing := []string{exposed, boundary, elsewhere, certificates, rawPaths}
	consuming := []string{names, jason, wrongPeer, half, notMoved, askedWho, redStars}
	switch part {
	case mutation.IngressDeny, mutation.IngressListener, mutation.Grant, mutation.Route:
		return exposing
	case mutation.EgressDeny, mutation.EgressListener, mutation.EgressTLS, mutation.EgressGrant, mutation.EgressRoute,
		mutation.Peer, mutation.PeerTLS, mutation.ConsumerRoute:
		return consuming
	case mutation.Placeholder:
		return append([]string{localRatings}, consuming...)
	}
	return slices.Concat(exposing, consuming)
}

// first are the scenarios that were written against a fault, by its name.
func first() map[string][]string {
	return map[string][]string{
		"exposure's grant without rules[].when":                            {bothEntries},
		"exposure's grant without rules[].when[].values":                   {bothEntries},
		"ingress gateway's listener without servers[].tls.subjectAltNames": {ownEntrance},
		"an entrance admits every peer, as pooled authorities do":          {ownEntrance},
		"no policy at all":                                                  {stranger},
		"exposure's grant without rules[].from":                             {stranger},
		"exposure's grant without rules[].to":                               {method},
		"exposure's grant without rules[].to[].operation.methods":           {method},
		"exposure's grant without rules[].to[].operation.paths":             {sibling},
		"exposure's grant without rules[].to[].operation.hosts":             {elsewhere},
		"the default deny allows everything":                                {stranger},
		"every certificate's name is granted":                               {stranger},
		"a name of any trust domain is granted":                             {stranger},
		"a name that begins alike is granted":                               {certificates},
		"every method is granted":                                           {method},
		"one method too many is granted":                                    {method},
		"another version's path is granted and routed":                      {sibling},
		"a prefix without its last slash":                                   {longerPath},
		"everything under the first segment is granted and routed":          {sibling},
		"below a prefix more is granted than was declared":                  {boundary},
		"every host is granted":                                             {elsewhere},
		"the gateway speaks TLS 1.0":                                        {certificates},
		"consumption's grant without rules[].from":                          {askedWho},
		"consumption's grant without rules[].to":                            {askedWho},
		"consumption's grant without rules[].when":                          {askedWho},
		"plain HTTP to the egress gateway, from anybody":                    {askedWho},
		"consumption's route of the callers without exportTo":               {notMoved},
		"the gateway takes every name":                                      {otherSNI},
		"the gateway takes every name of a domain":                          {similarSNI, otherSNI},
		"the gateway passes every service through":                          {elsewhere},
		"the client's certificate is optional":                              {noCert},
		"no client certificate is asked for":                                {noCert},
		"escaped slashes are kept, as path normalisation BASE does":         {rawPaths},
		"peer's verification without trafficPolicy.tls.subjectAltNames":     {wrongPeer},
		"the peer's certificate is not verified":                            {wrongPeer},
		"consumption's route of the callers without http[].match[].headers": {jason},
		"a header that begins alike decides":                                {jason},
		"whoever has the header at all leaves":                              {jason},
		"requests that stay are copied to the peer":                         {jason},
		"one in ten of those who stay leaves":                               {jason},
		"the exposed service's requests get a header":                       {sameHeaders},
		"the callers' requests get a header of the peer's":                  {sameHeaders},
		"the callers' requests lose a header on the way out":                {sameHeaders},
		"the peer's answers get a header":                                   {sameHeaders},
		"a request is tried again when the peer refuses it":                 {triedOnce},
		"nobody leaves":                                             {jason},
		"everything leaves, whatever its weight":                    {half},
		"two thirds leave instead of a half":                        {half},
		"what is withdrawn keeps its route":                         {gone},
		"what is withdrawn keeps its grant":                         {oneOfTwo, gone},
		"what is withdrawn keeps route, grant and listener":         {gone},
		"what is withdrawn keeps the listener":                      {gone},
		"what is no longer consumed keeps the route of its callers": {localAgain},
		"what is no longer consumed keeps the peer's address":       {localAgain},
		"a grant is never taken back":                               {takenAway},
		"what has been rendered once is never changed":              {takenAway},
		"a withdrawal takes everything with it":                     {oneOfTwo},
	}
}
