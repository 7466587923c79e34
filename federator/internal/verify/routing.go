package verify

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshfed/meshfed/federator/internal/envoy"
)

// routing holds the routes of a chain against those declared for its names.
func (l *look) routing(at string, h envoy.HTTP, names []string) {
	config, known := l.Config.Routes[h.RouteConfig]
	if !known {
		l.found(ConfigRefused, at, "its routes %s are not there", h.RouteConfig)
	}
	seen := map[int]bool{}
	for _, host := range config.Hosts {
		in := "routes " + config.Name + ", host " + host.Name
		for _, o := range host.Overrides {
			l.found(PolicyOverridden, in, "it changes the filter %s for its requests", o)
		}
		for _, r := range host.Routes {
			l.route(in, host, r, names, seen)
		}
	}
	for i, want := range l.routes {
		if !slices.Contains(names, want.authority) {
			continue
		}
		l.report.Routes++
		if !seen[i] {
			l.about(want.by, RouteMissing, "routes "+config.Name, "nothing leads %s%s to %s", want.authority, want.path, want.target)
		}
	}
}

// route finds the declared route that an Envoy's is for: the one of its
// authority and path.
func (l *look) route(at string, host envoy.VirtualHost, r envoy.Route, names []string, seen map[int]bool) {
	at += ", route " + r.Path.String()
	if r.Object != "" {
		at += " of " + r.Object
	}
	for _, o := range r.Overrides {
		l.found(PolicyOverridden, at, "it changes the filter %s for its requests", o)
	}
	found := false
	for i, want := range l.routes {
		if !slices.Contains(names, want.authority) || !covers(host.Domains, want.authority) || r.Path != (envoy.Matcher{Kind: envoy.Prefix, Value: want.path}) {
			continue
		}
		found = true
		if wrong := l.differs(r, want); wrong != "" {
			l.about(want.by, RouteChanged, at, "%s", wrong)
		} else if len(r.Conditions) == 0 {
			seen[i] = true
		} else {
			l.about(want.by, RouteChanged, at, "it takes only requests with %s", envoy.Clause(r.Conditions))
		}
		l.domains(at, host.Domains, names)
	}
	if !found {
		l.found(RouteExtra, at, "it takes %s %s to %s, and no declaration does", strings.Join(host.Domains, ", "), r.Path, destination(r))
	}
}

// covers says whether the domains of a virtual host take an authority.
func covers(domains []string, authority string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return spelled(d, authority) })
}

// spelled says that a domain is an authority, with or without a port.
func spelled(domain, authority string) bool {
	host, _, found := strings.Cut(domain, ":")
	if !found {
		host = domain
	}
	return strings.EqualFold(host, authority)
}

// domains refuses a virtual host that takes other authorities along than those
// of its chain.
func (l *look) domains(at string, domains, names []string) {
	for _, d := range domains {
		if !slices.ContainsFunc(names, func(name string) bool { return spelled(d, name) }) {
			l.found(RouteExtra, at, "it takes requests for %s, too", d)
		}
	}
}

// differs says how a route leads elsewhere than declared; empty when it does not.
func (l *look) differs(r envoy.Route, want route) string {
	switch {
	case r.Answer != "":
		return fmt.Sprintf("it answers itself (%s) instead of leading to %s", r.Answer, want.target)
	case len(r.Others) > 0:
		return strings.Join(r.Others, "; ")
	case len(r.To) != 1:
		return fmt.Sprintf("it leads to %s; declared: %s", destination(r), want.target)
	case !leadsTo(r.To[0].Cluster, want.target):
		return fmt.Sprintf("it leads to %s; declared: %s", r.To[0].Cluster, want.target)
	case r.Rewrite != want.rewrite:
		return fmt.Sprintf("the prefix %s becomes %q; declared: %q", want.path, r.Rewrite, want.rewrite)
	case !strings.EqualFold(r.Authority, want.rewritten):
		return fmt.Sprintf("the authority becomes %q; declared: %q", r.Authority, want.rewritten)
	}
	return ""
}

func leadsTo(cluster string, want target) bool {
	host, subset, port, ok := envoy.Target(cluster)
	return ok && target{host, subset, port} == want
}

func destination(r envoy.Route) string {
	if r.Answer != "" {
		return r.Answer
	}
	var to []string
	for _, w := range r.To {
		to = append(to, w.Cluster)
	}
	return list(append(to, r.Others...))
}

// wantedClusters holds the clusters that declared routes lead to against how
// they ought to be spoken to.
func (l *look) wantedClusters() {
	for _, want := range l.clusters {
		l.report.Clusters++
		name := fmt.Sprintf("outbound|%d|%s|%s", want.target.port, want.target.subset, want.target.host)
		at := "cluster " + name
		c, known := l.Config.Clusters[name]
		switch {
		case !known:
			l.about(want.by, ClusterMissing, at, "it is not there, so that its route answers 503")
		case want.peer == nil && c.Plain():
			l.about(want.by, ClusterPlainText, at, "the exposed service is spoken to without TLS")
		case want.peer == nil:
		case c.TLS == nil:
			l.about(want.by, ClusterPlainText, at, "the peer is spoken to without TLS")
		default:
			l.peer(at, c, want)
		}
	}
}

func (l *look) peer(at string, c envoy.Cluster, want cluster) {
	p := want.peer.Spec
	credential := credentialPrefix + l.gateway.CredentialName
	if c.TLS.SNI != p.SNI {
		l.about(want.by, ClusterSNI, at, "it asks for the server name %q; declared: %q", c.TLS.SNI, p.SNI)
	}
	if !slices.Equal(c.TLS.Certificates, []string{credential}) {
		l.about(want.by, ClusterCertificate, at, "it presents %s; declared: %s", list(c.TLS.Certificates), credential)
	}
	if c.TLS.TrustAnchors != credential+anchorsSuffix || c.TLS.AcceptUntrusted {
		l.about(want.by, ClusterUnverified, at, "the peer is judged by the roots %q (others accepted: %t); declared: %q", c.TLS.TrustAnchors, c.TLS.AcceptUntrusted, credential+anchorsSuffix)
	}
	if unread := l.unread(c.TLS.Validation); len(unread) > 0 {
		l.about(want.by, ClusterUnverified, at, "the peer is judged by rules besides that may let others answer: %s; declared: none", list(unread))
	}
	exact := envoy.Matcher{Kind: envoy.Exact, Value: p.ServerIdentity}
	if len(c.TLS.Names) == 0 || slices.ContainsFunc(c.TLS.Names, func(m envoy.Matcher) bool { return m != exact }) {
		var names []string
		for _, m := range c.TLS.Names {
			names = append(names, m.String())
		}
		l.about(want.by, ClusterUnverified, at, "the peer's identity may be %s; declared: %s", anyOf(names), exact)
	}
	address := net.JoinHostPort(p.Address.Host, strconv.Itoa(int(p.Address.Port)))
	if len(c.Endpoints) == 0 {
		l.about(want.by, ClusterAddress, at, "it has no address; declared: %s", address)
	}
	for _, e := range c.Endpoints {
		if e.Address != address {
			l.about(want.by, ClusterAddress, at, "it leads to %s; declared: %s", e.Address, address)
		}
	}
	for _, name := range append(slices.Clone(c.TLS.Certificates), c.TLS.TrustAnchors) {
		l.valid(at, name)
	}
}

func anyOf(names []string) string {
	if len(names) == 0 {
		return "any"
	}
	return strings.Join(names, ", ")
}
