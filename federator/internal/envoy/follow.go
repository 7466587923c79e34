package envoy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Request is one as it arrives, with who sends it.
type Request struct {
	// Principal is the URI in the caller's certificate.
	Principal string
	// SNI as it is sent; Envoy reads it in lower case.
	SNI       string
	Authority string
	Method    string
	// Path may have a query.
	Path string
	// Headers by their names in lower case.
	Headers map[string]string
	// At is when: certificates have their time. Zero leaves them out.
	At time.Time
}

// Layer is where a request can end. The set is closed, in the order in which a
// request meets them.
type Layer string

// The layers.
const (
	LayerListener  Layer = "listener"
	LayerSNI       Layer = "SNI"
	LayerHandshake Layer = "handshake"
	LayerPath      Layer = "path"
	LayerPolicy    Layer = "policy"
	LayerRoute     Layer = "route"
	LayerBackend   Layer = "backend"
)

// Step is what one layer says about a request.
type Step struct {
	Layer Layer `json:"layer"`
	// Passed is false for the step at which the request ends.
	Passed bool `json:"passed"`
	// By is the part of Envoy that decides: a listener, chain, filter, rule, route
	// or cluster.
	By string `json:"by"`
	// Object that Istio has made it from, if it says so.
	Object string `json:"object,omitempty"`
	// Story is why.
	Story string `json:"story"`
	// Cluster that it leads to, of a backend's.
	Cluster string `json:"-"`
}

// Follow takes a request that comes to a port through the configuration, until
// it ends or has reached a backend. The last step is the one that decides.
func (c Config) Follow(port int, r Request) []Step {
	r.SNI = strings.ToLower(r.SNI)
	f := follower{Config: c, request: r}
	f.run(port)
	return f.steps
}

type follower struct {
	Config
	request Request
	steps   []Step
}

func (f *follower) step(s Step) bool {
	f.steps = append(f.steps, s)
	return s.Passed
}

func (f *follower) run(port int) {
	i := slices.IndexFunc(f.Listeners, func(l Listener) bool { return l.Port == port })
	if i < 0 {
		f.step(Step{Layer: LayerListener, By: fmt.Sprintf("port %d", port), Story: "nothing listens: connections are refused"})
		return
	}
	l := f.Listeners[i]
	f.step(Step{Layer: LayerListener, Passed: true, By: l.Name, Story: fmt.Sprintf("listens on %s:%d", l.Address, l.Port)})
	chain, found := l.pick(f.request.SNI)
	if !found {
		var names []string
		for _, c := range l.Chains {
			names = append(names, c.SNI...)
		}
		f.step(Step{Layer: LayerSNI, By: l.Name, Story: fmt.Sprintf("no filter chain takes the server name %q (there are: %s): the connection ends before the handshake", f.request.SNI, strings.Join(names, ", "))})
		return
	}
	f.step(Step{Layer: LayerSNI, Passed: true, By: "filter chain " + cmp.Or(chain.Name, strings.Join(chain.SNI, ",")), Story: fmt.Sprintf("takes the server name %q", f.request.SNI)})
	if !f.step(f.handshake(chain)) {
		return
	}
	if chain.HTTP == nil {
		f.step(Step{Layer: LayerRoute, By: strings.Join(chain.Filters, ", "), Story: "the connection is passed on as it is; no request is read"})
		return
	}
	f.request.Path = f.normalised(*chain.HTTP)
	for _, filter := range chain.HTTP.Filters {
		if filter.Policy != nil && !f.policy(filter) {
			return
		}
	}
	f.route(*chain.HTTP)
}

// pick finds the chain as Envoy does: the exact name, then the narrowest
// wildcard, then those that name none, then the default one.
func (l Listener) pick(sni string) (Chain, bool) {
	best, score := -1, -1
	for i, c := range l.Chains {
		for _, name := range c.SNI {
			suffix, wild := strings.CutPrefix(name, "*")
			switch {
			case strings.EqualFold(name, sni) && sni != "":
				return c, true
			case wild && strings.HasSuffix(sni, suffix) && len(name) > score:
				best, score = i, len(name)
			}
		}
		if len(c.SNI) == 0 && !c.Default && score < 1 {
			best, score = i, 1
		}
		if c.Default && score < 0 {
			best, score = i, 0
		}
	}
	if best < 0 {
		return Chain{}, false
	}
	return l.Chains[best], true
}

func (f *follower) handshake(c Chain) Step {
	out := Step{Layer: LayerHandshake, Passed: true, By: "filter chain " + cmp.Or(c.Name, strings.Join(c.SNI, ","))}
	switch {
	case c.TLS == nil:
		out.Story = "plain text: nobody is asked who he is"
	case !c.TLS.ClientCertificate:
		out.Story = "a client certificate is not required"
	case f.request.Principal == "":
		out.Passed, out.Story = false, "a client certificate is required, and there is none"
	case !c.TLS.takes(f.request.Principal):
		out.Passed, out.Story = false, fmt.Sprintf("the certificate is for %s, and none but %s is taken", f.request.Principal, spell(c.TLS.Names))
	default:
		out.Story = fmt.Sprintf("a client certificate is required, and judged by the roots of %s", c.TLS.TrustAnchors)
		if len(c.TLS.Names) > 0 {
			out.Story += "; it must be for " + spell(c.TLS.Names)
		}
	}
	if c.TLS != nil {
		if story, bad := f.notValid(append(slices.Clone(c.TLS.Certificates), c.TLS.TrustAnchors)); bad {
			out.Passed, out.Story = false, story
		}
	}
	return out
}

// takes says whether a certificate with that name passes.
func (v Validation) takes(name string) bool {
	return len(v.Names) == 0 || slices.ContainsFunc(v.Names, func(m Matcher) bool {
		fits, known := m.Matches(name)
		return fits && known
	})
}

func spell(names []Matcher) string {
	var all []string
	for _, m := range names {
		all = append(all, m.String())
	}
	return strings.Join(all, " or ")
}

func (f *follower) normalised(h HTTP) string {
	path := Normalise(f.request.Path, h)
	story := "judged as it is"
	if path != f.request.Path {
		story = fmt.Sprintf("%s is judged as %s", f.request.Path, path)
	}
	f.step(Step{Layer: LayerPath, Passed: true, By: httpManager, Story: story})
	return path
}

// ruleName is how Istio names the rules that it makes of an AuthorizationPolicy.
var ruleName = regexp.MustCompile(`^ns\[(.*)\]-policy\[(.*)\]-rule\[\d+\]$`)

func policyObject(rule string) string {
	if m := ruleName.FindStringSubmatch(rule); m != nil {
		return "AuthorizationPolicy " + m[1] + "/" + m[2]
	}
	return ""
}

func (f *follower) policy(filter HTTPFilter) bool {
	p := filter.Policy
	if p.Action != "ALLOW" && p.Action != "DENY" {
		return true
	}
	for _, rule := range p.Rules {
		for _, clause := range rule.Clauses {
			if !f.fits(clause) {
				continue
			}
			allowed := p.Action == "ALLOW"
			word := map[bool]string{true: "allowed", false: "denied with 403"}[allowed]
			return f.step(Step{Layer: LayerPolicy, Passed: allowed, By: filter.Name + ", rule " + rule.Name, Object: policyObject(rule.Name),
				Story: fmt.Sprintf("%s: it is for %s", word, clause)})
		}
	}
	if p.Action == "DENY" {
		return true
	}
	return f.step(Step{Layer: LayerPolicy, By: filter.Name, Story: f.whyDenied(p)})
}

// whyDenied names the rule that comes nearest, and what it wants instead.
func (f *follower) whyDenied(p *Policy) string {
	best, bestRule, missing := -1, "", ""
	for _, rule := range p.Rules {
		for _, clause := range rule.Clauses {
			var wrong []string
			for _, t := range clause {
				if !f.holds(t) {
					wrong = append(wrong, t.String())
				}
			}
			if hits := len(clause) - len(wrong); hits > best {
				best, bestRule, missing = hits, rule.Name, strings.Join(wrong, " and ")
			}
		}
	}
	if best < 0 {
		return fmt.Sprintf("denied with 403: none of %d rules admits anybody", len(p.Rules))
	}
	return fmt.Sprintf("denied with 403: none of %d rules allows it; the nearest, %s of %s, wants %s", len(p.Rules), bestRule, policyObject(bestRule), missing)
}

func (f *follower) fits(c Clause) bool {
	return !slices.ContainsFunc(c, func(t Term) bool { return !f.holds(t) })
}

// holds is false for what cannot be judged: an explanation must not say that
// somebody is admitted who may not be.
func (f *follower) holds(t Term) bool {
	fits, known := t.Matches(f.value(t.Field))
	return known && fits != t.Not
}

func (f *follower) value(field Field) string {
	path, _, _ := strings.Cut(f.request.Path, "?")
	switch field {
	case FieldPrincipal:
		return f.request.Principal
	case FieldSNI:
		return f.request.SNI
	case FieldAuthority:
		return f.request.Authority
	case FieldMethod:
		return f.request.Method
	case FieldPath:
		return path
	}
	return f.request.Headers[strings.TrimPrefix(string(field), "header ")]
}
