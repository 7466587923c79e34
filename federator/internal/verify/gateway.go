package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshfed/meshfed/federator/internal/envoy"
)

// look is one gateway's pod, held against what it ought to be.
type look struct {
	*checker
	side
	Dump
	// where names the pod in findings.
	where string
}

// pods holds each pod against the declarations.
func (c *checker) pods(s side) {
	seen := false
	for _, d := range c.Dumps {
		if d.Side != s.Side {
			continue
		}
		seen = true
		l := &look{checker: c, side: s, Dump: d, where: fmt.Sprintf("%s gateway, pod %s", s.Side, d.Pod)}
		c.report.Gateways = append(c.report.Gateways, d.Pod)
		l.check()
		c.drains(d)
	}
	if !seen {
		c.find(Finding{Kind: GatewayUnseen, Where: fmt.Sprintf("%s gateway %s/%s", s.Side, s.gateway.Namespace, s.gateway.Service),
			Detail: "no ready pod of it was looked into, so nothing is proven about it"})
	}
}

func (l *look) found(kind Kind, at, format string, args ...any) {
	where := l.where
	if at != "" {
		where += ", " + at
	}
	l.find(Finding{Kind: kind, Where: where, Detail: fmt.Sprintf(format, args...)})
}

func (l *look) check() {
	for _, r := range l.Config.Refused {
		l.found(ConfigRefused, "", "%s", r)
	}
	open := false
	for _, listener := range l.Config.Listeners {
		at := "listener " + listener.Name
		switch {
		case listener.Static:
			l.static(at, listener)
		case !l.used:
			l.found(ListenerExtra, at, "it is open on port %d, and nothing is declared that needs it", listener.Port)
		case listener.Port != l.Port:
			l.found(ListenerExtra, at, "it is open on port %d; the only one declared is %d", listener.Port, l.Port)
		default:
			open = true
			l.listener(at, listener)
		}
	}
	if l.used && !open {
		l.found(ListenerMissing, "", "nothing listens on port %d", l.Port)
	}
	if l.used {
		l.wantedClusters()
	}
}

// static are listeners of the bootstrap. Istio's own ones answer health and
// metrics, from inside the pod; one that leads elsewhere is a way out or in.
func (l *look) static(at string, listener envoy.Listener) {
	harmless := []string{"prometheus_stats", "agent"}
	for _, chain := range listener.Chains {
		if chain.HTTP == nil {
			l.found(ListenerExtra, at, "a listener of the bootstrap on port %d does something else than HTTP: %s", listener.Port, strings.Join(chain.Filters, ", "))
			continue
		}
		for _, host := range l.Config.Routes[chain.HTTP.RouteConfig].Hosts {
			for _, r := range host.Routes {
				for _, to := range r.To {
					if !slices.Contains(harmless, to.Cluster) {
						l.found(ListenerExtra, at, "a listener of the bootstrap on port %d leads to %s", listener.Port, to.Cluster)
					}
				}
			}
		}
	}
}

func (l *look) listener(at string, listener envoy.Listener) {
	var names []string
	for _, chain := range listener.Chains {
		in := at
		if chain.Name != "" {
			in += ", chain " + chain.Name
		}
		names = append(names, chain.SNI...)
		l.names(in, chain)
		if l.transport(in, chain) {
			l.requests(in, chain)
		}
	}
	for _, want := range l.sni() {
		if !slices.Contains(names, want) {
			l.found(SNIMissing, at, "the server name %s is not served", want)
		}
	}
}

func (l *look) names(at string, chain envoy.Chain) {
	if chain.Default || len(chain.SNI) == 0 {
		l.found(SNIExtra, at, "connections for any server name are taken; declared: %s", strings.Join(l.sni(), ", "))
	}
	for _, name := range chain.SNI {
		if !slices.Contains(l.sni(), name) {
			l.found(SNIExtra, at, "the server name %s is served, and not declared", name)
		}
	}
	if len(chain.Conditions) > 0 {
		l.found(ConfigRefused, at, "connections are picked by conditions that are not understood: %s", strings.Join(chain.Conditions, ", "))
	}
}

// transport judges TLS and says whether the chain reads HTTP.
func (l *look) transport(at string, chain envoy.Chain) bool {
	if t := chain.TLS; t != nil {
		for _, d := range l.behind(chain) {
			l.clientAuth(at, *t, d)
		}
	} else {
		l.found(ListenerPlainText, at, "connections are taken without TLS")
	}
	for _, f := range chain.Filters {
		if f != networkHTTP && !slices.Contains(harmlessNetwork(), f) {
			l.found(FilterUnknown, at, "the network filter %s is not known to be harmless", f)
		}
	}
	if chain.HTTP == nil {
		l.found(FilterUnknown, at, "connections are passed on as they are, so that no request is judged: %s", strings.Join(chain.Filters, ", "))
		return false
	}
	return true
}

const networkHTTP = "envoy.filters.network.http_connection_manager"

// harmlessNetwork are network filters that only count or only refuse.
func harmlessNetwork() []string {
	return []string{"istio.metadata_exchange", "istio.stats", "envoy.filters.network.rbac"}
}

// behind are the declared entrances that a filter chain serves. A chain that serves
// none of their names is held against all of them, and is a finding for each.
func (l *look) behind(chain envoy.Chain) []door {
	var out []door
	for _, d := range l.doors {
		if slices.Contains(chain.SNI, d.sni) {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		return l.doors
	}
	return out
}

func (l *look) clientAuth(at string, t envoy.ServerTLS, want door) {
	if !t.ClientCertificate {
		l.found(ClientCertificateOptional, at, "callers need no certificate")
	}
	if !slices.Equal(t.Certificates, want.certificates) {
		l.found(ServerCertificate, at, "it presents %s; declared: %s", list(t.Certificates), list(want.certificates))
	}
	if only := (envoy.Matcher{Kind: envoy.Exact, Value: want.identity}); want.identity != "" && !slices.Equal(t.Names, []envoy.Matcher{only}) {
		var names []string
		for _, m := range t.Names {
			names = append(names, m.String())
		}
		l.found(ClientTrust, at, "callers may be %s; declared: %s", anyOf(names), only)
	}
	if t.TrustAnchors != want.anchors || t.AcceptUntrusted {
		roots := "the roots " + t.TrustAnchors
		if t.TrustAnchors == "" {
			roots = "no roots at all"
		}
		if t.AcceptUntrusted {
			roots += ", and certificates of any other root, too"
		}
		l.found(ClientTrust, at, "callers are judged by %s; declared: %s", roots, want.anchors)
	}
	if unread := l.unread(t.Validation); len(unread) > 0 {
		l.found(ClientTrust, at, "callers are judged by rules besides that may let others in: %s; declared: none", list(unread))
	}
	switch t.MinVersion {
	case "TLSv1_2", "TLSv1_3", "": // Envoy's own lowest for servers is 1.2
	default:
		l.found(TLSVersion, at, "connections are taken from %s on; declared: TLSv1_2", t.MinVersion)
	}
	for _, name := range append(slices.Clone(t.Certificates), t.TrustAnchors) {
		l.valid(at, name)
	}
}

// unread are the rules for the other side's certificate that nobody declares, those
// that come with the roots among them.
func (l *look) unread(v envoy.Validation) []string {
	return slices.Concat(v.Unread, l.Config.Secrets[v.TrustAnchors].Unread)
}

// valid looks at the times of a secret's certificates.
func (l *look) valid(at, secret string) {
	if c, found := l.Config.Secrets[secret].NotValid(l.Now); found {
		l.found(CertificateExpired, at, "%s holds a certificate that is valid from %s to %s, and it is %s now", secret,
			c.NotBefore.UTC().Format(time.DateTime), c.NotAfter.UTC().Format(time.DateTime), l.Now.UTC().Format(time.DateTime))
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// requests judges what becomes of them.
func (l *look) requests(at string, chain envoy.Chain) {
	l.normalisation(at, *chain.HTTP)
	var names []string
	for _, d := range l.behind(chain) {
		names = append(names, d.sni)
	}
	l.filters(at, *chain.HTTP, names)
	l.routing(at, *chain.HTTP, names)
}

// unescape are the actions for escaped slashes by which a path is judged as it
// is passed on.
func unescape() []string {
	return []string{"UNESCAPE_AND_FORWARD", "UNESCAPE_AND_REDIRECT", "REJECT_REQUEST"}
}

func (l *look) normalisation(at string, h envoy.HTTP) {
	if !h.NormalizePath || !h.MergeSlashes || !slices.Contains(unescape(), h.EscapedSlashes) {
		l.found(PathNormalisation, at, "normalize_path is %t, merge_slashes is %t, escaped slashes: %s; DECODE_AND_MERGE_SLASHES is needed",
			h.NormalizePath, h.MergeSlashes, orNone(h.EscapedSlashes))
	}
}

func orNone(s string) string {
	if s == "" {
		return "kept as they are"
	}
	return s
}
