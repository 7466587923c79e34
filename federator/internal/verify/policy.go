package verify

import (
	"slices"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
)

// harmlessHTTP are filters that neither admit nor lead a request anywhere. The
// router is the last of every chain.
func harmlessHTTP() []string {
	return []string{"envoy.filters.http.router", "envoy.filters.http.grpc_stats", "envoy.filters.http.grpc_web",
		"envoy.filters.http.fault", "envoy.filters.http.cors", "istio.alpn", "istio.metadata_exchange", "istio.stats", "istio_authn",
		"envoy.filters.http.upstream_codec"}
}

// filters judges what a request to one of the names passes before its route.
func (l *look) filters(at string, h envoy.HTTP, names []string) {
	var allow []envoy.Rule
	judged := false
	for _, f := range h.Filters {
		switch {
		case f.Policy == nil:
			if !slices.Contains(harmlessHTTP(), f.Name) {
				l.found(FilterUnknown, at, "the HTTP filter %s is not known to be harmless", f.Name)
			}
		case f.Policy.Action == "ALLOW":
			if judged {
				// Each filter must admit: what both admit is not worked out.
				l.found(FilterUnknown, at, "requests are judged by two policies that allow")
			}
			judged, allow = true, f.Policy.Rules
		case f.Policy.Action == "DENY":
			l.denials(at, f.Policy.Rules)
		}
	}
	if !judged {
		l.found(PolicyMissing, at, "no policy allows requests one by one, so each that arrives is admitted")
		return
	}
	l.compare(at, allow, names)
}

// compare finds clauses that nothing declared covers, and declared ones for the
// names that nothing covers.
func (l *look) compare(at string, rules []envoy.Rule, names []string) {
	wanted := newCover(len(l.grants))
	for _, g := range l.grants {
		wanted.add(g.clause)
	}
	there := newCover(0)
	for _, r := range rules {
		for _, clause := range r.Clauses {
			there.add(clause)
			if !wanted.covers(clause) {
				l.found(PolicyWider, at, "%s admits %s, and no declaration does", r.Name, clause)
			}
		}
	}
	for _, g := range l.grants {
		if !slices.Contains(names, g.sni) {
			continue
		}
		l.report.Grants++
		if !there.covers(g.clause) {
			l.about(g.by, PolicyNarrower, at, "it does not admit %s", g.clause)
		}
	}
}

// denials are harmless for what is refused anyway. One that may meet a grant
// takes from what is declared.
func (l *look) denials(at string, rules []envoy.Rule) {
	for _, r := range rules {
		for _, clause := range r.Clauses {
			for _, g := range l.grants {
				if !apart(clause, g.clause) {
					l.about(g.by, PolicyNarrower, at, "%s denies %s", r.Name, clause)
					break
				}
			}
		}
	}
}

// apart says that no request can fit both clauses.
func apart(a, b envoy.Clause) bool {
	return slices.ContainsFunc(a, func(t envoy.Term) bool {
		return slices.ContainsFunc(b, func(o envoy.Term) bool {
			if t.Field != o.Field || o.Not || o.Kind != envoy.Exact {
				return false
			}
			fits, known := t.Matches(o.Value)
			return known && fits == t.Not
		})
	})
}

// cover is a set of clauses that can be asked whether one of them holds whenever
// a given one does. Most are there word for word; the others are searched.
type cover struct {
	exact map[string]bool
	all   []envoy.Clause
}

func newCover(n int) *cover { return &cover{exact: make(map[string]bool, n)} }

func (c *cover) add(clause envoy.Clause) {
	c.exact[clause.String()] = true
	c.all = append(c.all, clause)
}

func (c *cover) covers(clause envoy.Clause) bool {
	return c.exact[clause.String()] || slices.ContainsFunc(c.all, func(wide envoy.Clause) bool { return within(clause, wide) })
}

// within says that whatever fits the narrow clause fits the wide one: each term
// of the wide one follows from one of the narrow one.
func within(narrow, wide envoy.Clause) bool {
	for _, w := range wide {
		if !slices.ContainsFunc(narrow, func(n envoy.Term) bool {
			return n == w && n.Kind != envoy.Unread || !n.Not && !w.Not && n.Field == w.Field && n.Implies(w.Matcher)
		}) {
			return false
		}
	}
	return true
}

// about is found for a declaration.
func (l *look) about(by api.Key, kind Kind, at, format string, args ...any) {
	l.found(kind, at, format, args...)
	l.report.Findings[len(l.report.Findings)-1].Declaration = by.String()
}
