package envoy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Field is what a term looks at. Those of other headers are spelled
// "header NAME"; anything else is FieldOther.
type Field string

// The fields that the boundary is made of.
const (
	FieldPrincipal Field = "principal"
	FieldSNI       Field = "sni"
	FieldAuthority Field = "authority"
	FieldMethod    Field = "method"
	FieldPath      Field = "path"
	// FieldOther is a condition that is not understood. As one more condition of a
	// clause it can only narrow it.
	FieldOther Field = "other"
)

// Term is one condition.
type Term struct {
	Field Field
	Matcher
	// Not turns it round.
	Not bool
}

func (t Term) String() string {
	text := string(t.Field) + " " + t.Matcher.String()
	if t.Not {
		text = "not " + text
	}
	return text
}

// Clause is a set of terms that must all hold; without any it admits everybody.
type Clause []Term

func (c Clause) String() string {
	if len(c) == 0 {
		return "everything"
	}
	parts := make([]string, len(c))
	for i, t := range c {
		parts[i] = t.String()
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// Policy is one RBAC filter: what it says about a request is what its rules say
// about it, each being a set of clauses of which one must hold.
type Policy struct {
	// Action is ALLOW, DENY or LOG; empty when the filter enforces nothing.
	Action string
	Rules  []Rule
}

// Rule is a named part of a policy.
type Rule struct {
	Name    string
	Clauses []Clause
}

// maxClauses bounds what one rule may unfold to.
const maxClauses = 100_000

func (p *parser) policy(listener string, config json.RawMessage) *Policy {
	var raw struct {
		Rules *struct {
			Action   string `json:"action"`
			Policies map[string]struct {
				Permissions []json.RawMessage `json:"permissions"`
				Principals  []json.RawMessage `json:"principals"`
				Condition   json.RawMessage   `json:"condition"`
				Checked     json.RawMessage   `json:"checked_condition"`
			} `json:"policies"`
		} `json:"rules"`
		Matcher json.RawMessage `json:"matcher"`
	}
	what := "policy of listener " + listener
	if !p.read(what, config, &raw) {
		return &Policy{}
	}
	if raw.Rules == nil {
		if len(raw.Matcher) > 0 {
			p.Refused = append(p.Refused, what+": a matcher tree is not understood")
		}
		return &Policy{}
	}
	out := &Policy{Action: cmp.Or(raw.Rules.Action, "ALLOW")}
	for _, name := range slices.Sorted(maps.Keys(raw.Rules.Policies)) {
		r := raw.Rules.Policies[name]
		all := and(anyOf(r.Permissions), anyOf(r.Principals))
		for _, c := range []json.RawMessage{r.Condition, r.Checked} {
			if len(c) > 0 {
				all = and(all, other(c))
			}
		}
		clauses, fits := all.clauses(false)
		if !fits {
			p.Refused = append(p.Refused, fmt.Sprintf("%s: rule %s is too large to be understood", what, name))
		}
		out.Rules = append(out.Rules, Rule{name, clauses})
	}
	return out
}

// formula is a condition in its tree: a term, or all or any of others.
type formula struct {
	term *Term
	not  bool
	all  bool
	of   []formula
}

func and(of ...formula) formula { return formula{all: true, of: of} }
func or(of ...formula) formula  { return formula{of: of} }
func not(f formula) formula     { f.not = !f.not; return f }

// everything holds always: all of nothing.
func everything() formula { return and() }

func term(field Field, m Matcher) formula { return formula{term: &Term{Field: field, Matcher: m}} }

func other(raw json.RawMessage) formula {
	return term(FieldOther, Matcher{Kind: Unread, Value: string(raw)})
}

// clauses unfolds a formula into clauses of which one must hold; negated turns
// it round. It is false if there are too many.
func (f formula) clauses(negated bool) ([]Clause, bool) {
	negated = negated != f.not
	if f.term != nil {
		t := *f.term
		t.Not = negated
		return []Clause{{t}}, true
	}
	if f.all == negated {
		var out []Clause
		for _, o := range f.of {
			more, fits := o.clauses(negated)
			if out = append(out, more...); !fits || len(out) > maxClauses {
				return out, false
			}
		}
		return out, true
	}
	out := []Clause{{}}
	for _, o := range f.of {
		more, fits := o.clauses(negated)
		if !fits || len(out)*len(more) > maxClauses {
			return out, false
		}
		next := make([]Clause, 0, len(out)*len(more))
		for _, a := range out {
			for _, b := range more {
				next = append(next, append(slices.Clip(a), b...))
			}
		}
		out = next
	}
	return out, true
}

func anyOf(list []json.RawMessage) formula {
	out := or()
	for _, raw := range list {
		out.of = append(out.of, condition(raw))
	}
	return out
}

func allOf(list []json.RawMessage) formula {
	out := anyOf(list)
	out.all = true
	return out
}

// condition reads Envoy's Permission or Principal: an object with one field.
func condition(raw json.RawMessage) formula {
	var c map[string]json.RawMessage
	if json.Unmarshal(raw, &c) != nil || len(c) != 1 {
		return other(raw)
	}
	for key, value := range c {
		if f, ok := composite(key, value); ok {
			return f
		}
		if f, ok := leaf(key, value); ok {
			return f
		}
	}
	return other(raw)
}

func composite(key string, value json.RawMessage) (formula, bool) {
	var set struct {
		Rules []json.RawMessage `json:"rules"`
		IDs   []json.RawMessage `json:"ids"`
	}
	switch key {
	case "any":
		return everything(), string(value) == "true"
	case "not_rule", "not_id":
		return not(condition(value)), true
	case "and_rules", "and_ids":
		err := json.Unmarshal(value, &set)
		return allOf(append(set.Rules, set.IDs...)), err == nil
	case "or_rules", "or_ids":
		err := json.Unmarshal(value, &set)
		return anyOf(append(set.Rules, set.IDs...)), err == nil
	}
	return formula{}, false
}

// peerPrincipal is where newer versions of Istio keep who the other side is.
const peerPrincipal = "io.istio.peer_principal"

func leaf(key string, value json.RawMessage) (formula, bool) {
	switch key {
	case "requested_server_name":
		return term(FieldSNI, matcher(value)), true
	case "header":
		return header(value)
	case "url_path":
		var u struct {
			Path json.RawMessage `json:"path"`
		}
		err := json.Unmarshal(value, &u)
		return term(FieldPath, matcher(u.Path)), err == nil
	case "authenticated":
		var a struct {
			Name json.RawMessage `json:"principal_name"`
		}
		err := json.Unmarshal(value, &a)
		if len(a.Name) == 0 {
			return term(FieldPrincipal, Matcher{Kind: Present}), err == nil
		}
		return term(FieldPrincipal, matcher(a.Name)), err == nil
	case "filter_state":
		var s struct {
			Key   string          `json:"key"`
			Value json.RawMessage `json:"string_match"`
		}
		err := json.Unmarshal(value, &s)
		return term(FieldPrincipal, matcher(s.Value)), err == nil && s.Key == peerPrincipal
	}
	return formula{}, false
}

// header reads Envoy's HeaderMatcher in its present and its earlier spelling.
func header(raw json.RawMessage) (formula, bool) {
	var h struct {
		Name    string          `json:"name"`
		String  json.RawMessage `json:"string_match"`
		Exact   *string         `json:"exact_match"`
		Prefix  *string         `json:"prefix_match"`
		Suffix  *string         `json:"suffix_match"`
		Regex   json.RawMessage `json:"safe_regex_match"`
		Present *bool           `json:"present_match"`
		Invert  bool            `json:"invert_match"`
		Missing bool            `json:"treat_missing_header_as_empty"`
	}
	if json.Unmarshal(raw, &h) != nil || h.Missing {
		return formula{}, false
	}
	var m Matcher
	switch {
	case len(h.String) > 0:
		m = matcher(h.String)
	case h.Exact != nil:
		m = Matcher{Kind: Exact, Value: *h.Exact}
	case h.Prefix != nil:
		m = Matcher{Kind: Prefix, Value: *h.Prefix}
	case h.Suffix != nil:
		m = Matcher{Kind: Suffix, Value: *h.Suffix}
	case len(h.Regex) > 0:
		m = matcher(json.RawMessage(`{"safe_regex":` + string(h.Regex) + `}`))
	case h.Present != nil && *h.Present:
		m = Matcher{Kind: Present}
	default:
		return formula{}, false
	}
	f := term(headerField(h.Name), m)
	if h.Invert {
		f = not(f)
	}
	return f, true
}

func headerField(name string) Field {
	switch strings.ToLower(name) {
	case ":authority", "host":
		return FieldAuthority
	case ":method":
		return FieldMethod
	case ":path":
		// With its query, unlike FieldPath.
		return "header :path"
	}
	return Field("header " + strings.ToLower(name))
}
