package envoy

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// RouteConfig is the routes of one port.
type RouteConfig struct {
	Name  string
	Hosts []VirtualHost
	// IgnorePort finds the host of an authority without its port.
	IgnorePort bool
}

// VirtualHost is the routes of some authorities.
type VirtualHost struct {
	Name    string
	Domains []string
	Routes  []Route
	// Overrides are the filters that it changes for its requests.
	Overrides []string
}

// Route leads what it matches to clusters.
type Route struct {
	Name string
	// Object that Istio has made it from, such as
	// networking.istio.io/v1 VirtualService NAMESPACE/NAME; empty if it does not say.
	Object string
	Path   Matcher
	// Conditions are what else a request must be.
	Conditions []Term
	To         []Weighted
	// Rewrite replaces the matched prefix; empty changes nothing.
	Rewrite string
	// Authority replaces that of the request; empty changes nothing.
	Authority string
	// Answer is what the route does instead of leading anywhere, in Envoy's words
	// ("redirect", "direct_response"); empty for one that leads to clusters.
	Answer string
	// Overrides are the filters that it changes for its requests, and Others what
	// else it does that is not understood.
	Overrides, Others []string
}

// Weighted is a cluster and its share; a share of 0 of a single cluster is all.
type Weighted struct {
	Cluster string
	Weight  int
}

// routes keeps a route configuration and returns its name, or the one that it is
// given for lack of its own.
func (p *parser) routes(config json.RawMessage, name string) string {
	var raw struct {
		Name  string `json:"name"`
		Hosts []struct {
			Name      string                     `json:"name"`
			Domains   []string                   `json:"domains"`
			Routes    []json.RawMessage          `json:"routes"`
			Matcher   json.RawMessage            `json:"matcher"`
			Overrides map[string]json.RawMessage `json:"typed_per_filter_config"`
		} `json:"virtual_hosts"`
		VHDS      json.RawMessage            `json:"vhds"`
		Ignore    bool                       `json:"ignore_port_in_host_matching"`
		Overrides map[string]json.RawMessage `json:"typed_per_filter_config"`
	}
	if !p.read("routes", config, &raw) {
		return ""
	}
	out := RouteConfig{Name: cmp.Or(raw.Name, name), IgnorePort: raw.Ignore}
	if len(raw.VHDS) > 0 {
		p.Refused = append(p.Refused, "routes "+raw.Name+": virtual hosts from elsewhere are not understood")
	}
	for _, h := range raw.Hosts {
		host := VirtualHost{Name: h.Name, Domains: h.Domains, Overrides: keysOf(raw.Overrides, h.Overrides)}
		if len(h.Matcher) > 0 {
			p.Refused = append(p.Refused, "routes "+raw.Name+": the matcher tree of "+h.Name+" is not understood")
		}
		for _, r := range h.Routes {
			host.Routes = append(host.Routes, p.route(raw.Name, r))
		}
		out.Hosts = append(out.Hosts, host)
	}
	p.Routes[out.Name] = out
	return out.Name
}

func keysOf(sets ...map[string]json.RawMessage) []string {
	var out []string
	for _, s := range sets {
		out = append(out, slices.Sorted(maps.Keys(s))...)
	}
	return out
}

type rawRoute struct {
	Name      string                     `json:"name"`
	Match     map[string]json.RawMessage `json:"match"`
	Route     *rawAction                 `json:"route"`
	Metadata  metadata                   `json:"metadata"`
	Overrides map[string]json.RawMessage `json:"typed_per_filter_config"`
}

type rawAction struct {
	Cluster  string `json:"cluster"`
	Weighted *struct {
		Clusters []struct {
			Name      string                     `json:"name"`
			Weight    int                        `json:"weight"`
			Overrides map[string]json.RawMessage `json:"typed_per_filter_config"`
		} `json:"clusters"`
	} `json:"weighted_clusters"`
	Header    string            `json:"cluster_header"`
	Plugin    json.RawMessage   `json:"cluster_specifier_plugin"`
	Prefix    string            `json:"prefix_rewrite"`
	Regex     json.RawMessage   `json:"regex_rewrite"`
	Template  json.RawMessage   `json:"path_rewrite_policy"`
	Authority string            `json:"host_rewrite_literal"`
	Mirror    []json.RawMessage `json:"request_mirror_policies"`
	// The other ways to change an authority, which the declarations never ask for.
	AutoHost   bool            `json:"auto_host_rewrite"`
	FromHeader string          `json:"host_rewrite_header"`
	FromPath   json.RawMessage `json:"host_rewrite_path_regex"`
}

func (p *parser) route(config string, raw json.RawMessage) Route {
	var r rawRoute
	p.read("route of "+config, raw, &r)
	out := Route{Name: r.Name, Object: r.Metadata.object(), Overrides: keysOf(r.Overrides)}
	out.Path, out.Conditions = match(r.Match)
	var whole map[string]json.RawMessage
	p.read("route of "+config, raw, &whole)
	for _, answer := range []string{"redirect", "direct_response", "non_forwarding_action", "filter_action"} {
		if _, is := whole[answer]; is {
			out.Answer = answer
		}
	}
	if r.Route != nil {
		out.lead(*r.Route)
	}
	return out
}

func (r *Route) lead(a rawAction) {
	r.Rewrite, r.Authority = a.Prefix, a.Authority
	if a.Cluster != "" {
		r.To = []Weighted{{Cluster: a.Cluster}}
	}
	if a.Weighted != nil {
		for _, c := range a.Weighted.Clusters {
			r.To = append(r.To, Weighted{c.Name, c.Weight})
			r.Overrides = append(r.Overrides, keysOf(c.Overrides)...)
		}
	}
	for what, there := range map[string]bool{
		"a cluster named by the header " + a.Header: a.Header != "", "a cluster chosen by a plugin": len(a.Plugin) > 0,
		"a rewrite by expression": len(a.Regex) > 0, "a rewrite by template": len(a.Template) > 0,
		"copies of each request go elsewhere": len(a.Mirror) > 0,
		"an authority from elsewhere":         a.AutoHost || a.FromHeader != "" || len(a.FromPath) > 0,
	} {
		if there {
			r.Others = append(r.Others, what)
		}
	}
	slices.Sort(r.Others)
}

// match reads Envoy's RouteMatch. A prefix of whole segments without its slash
// counts as unread: it takes more than one with it.
func match(raw map[string]json.RawMessage) (Matcher, []Term) {
	path := Matcher{Kind: Unread}
	var terms []Term
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		value := raw[key]
		var text string
		isText := json.Unmarshal(value, &text) == nil
		switch {
		case key == "prefix" && isText:
			path.Kind, path.Value = Prefix, text
		case key == "path" && isText:
			path.Kind, path.Value = Exact, text
		case key == "safe_regex":
			path = matcher(json.RawMessage(`{"safe_regex":` + string(value) + `}`))
		case key == "case_sensitive":
			path.Fold = string(value) == "false"
		case key == "headers":
			terms = append(terms, headers(value)...)
		default:
			terms = append(terms, Term{Field: FieldOther, Matcher: Matcher{Kind: Unread, Value: key + ": " + string(value)}})
		}
	}
	return path, terms
}

func headers(raw json.RawMessage) []Term {
	var list []json.RawMessage
	_ = json.Unmarshal(raw, &list) // what is no list has no terms, and is unread below
	if len(list) == 0 {
		return []Term{{Field: FieldOther, Matcher: Matcher{Kind: Unread, Value: "headers: " + string(raw)}}}
	}
	var out []Term
	for _, one := range list {
		f, ok := header(one)
		if !ok {
			f = other(one)
		}
		t := *f.term
		t.Not = f.not
		out = append(out, t)
	}
	return out
}

// metadata is where Istio notes what it has made something from.
type metadata struct {
	Filter struct {
		Istio struct {
			Config string `json:"config"`
		} `json:"istio"`
	} `json:"filter_metadata"`
}

func (m metadata) object() string { return objectOf(m.Filter.Istio.Config) }

// objectOf spells Istio's mark /apis/networking.istio.io/v1/namespaces/ns/virtual-service/name
// as VirtualService ns/name.
func objectOf(mark string) string {
	parts := strings.Split(strings.Trim(mark, "/"), "/")
	if len(parts) != 7 {
		return mark
	}
	kind := ""
	for word := range strings.SplitSeq(parts[5], "-") {
		if word != "" {
			kind += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return kind + " " + parts[4] + "/" + parts[6]
}
