package envoy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Listener is one open port.
type Listener struct {
	Name    string
	Address string
	Port    int
	// Static listeners come from the bootstrap, not from the control plane.
	Static bool
	Chains []Chain
}

// Chain is what happens to the connections of a listener that it matches.
type Chain struct {
	Name string
	// Default chains take what no other one does.
	Default bool
	// SNI are the server names it takes; empty is any.
	SNI []string
	// Conditions are what else a connection must be, unread; a transport of "tls"
	// is not among them.
	Conditions []string
	// TLS is nil for plain text.
	TLS *ServerTLS
	// Filters are the network filters by name. The last one is HTTP's, if HTTP is set.
	Filters []string
	HTTP    *HTTP
}

// ServerTLS is how a chain takes connections.
type ServerTLS struct {
	// ClientCertificate says that a connection without one is refused.
	ClientCertificate bool
	// Certificates are the names of the secrets presented.
	Certificates []string
	Validation
	// MinVersion is the lowest protocol version, as Envoy spells it; empty is its default.
	MinVersion string
}

// Validation is how the other side's certificate is judged.
type Validation struct {
	// TrustAnchors is the name of the secret with the roots; empty: nothing is verified.
	TrustAnchors string
	// AcceptUntrusted lets certificates of any root pass.
	AcceptUntrusted bool
	// Names are those of which the certificate must have one; empty is any.
	Names []Matcher
	// Unread are further rules by name. Some of them let certificates pass that would
	// not, and none is judged.
	Unread []string
}

// HTTP is how a chain reads requests.
type HTTP struct {
	NormalizePath, MergeSlashes bool
	// EscapedSlashes is the action for %2F and %5C, as Envoy spells it.
	EscapedSlashes string
	Filters        []HTTPFilter
	// RouteConfig is the name of the routes; they are in Config.Routes.
	RouteConfig string
}

// HTTPFilter is one step between a request's arrival and its route.
type HTTPFilter struct {
	Name string
	// Policy is set for RBAC filters.
	Policy *Policy
}

type rawTLS struct {
	Require bool         `json:"require_client_certificate"`
	Common  rawCommonTLS `json:"common_tls_context"`
	SNI     string       `json:"sni"`
}

type sds struct {
	Name string `json:"name"`
}

// rawValidation has the rules that are understood. A list of revoked certificates is
// one of them that only refuses.
type rawValidation struct {
	Chain    string            `json:"trust_chain_verification"`
	Trusted  json.RawMessage   `json:"trusted_ca"`
	SANs     []json.RawMessage `json:"match_subject_alt_names"`
	Typed    []json.RawMessage `json:"match_typed_subject_alt_names"`
	Provider json.RawMessage   `json:"ca_certificate_provider_instance"`

	unread []string
}

func (v *rawValidation) UnmarshalJSON(raw []byte) error {
	type plain rawValidation
	var rules map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, (*plain)(v)), json.Unmarshal(raw, &rules)); err != nil {
		return err
	}
	for _, known := range []string{"trust_chain_verification", "trusted_ca", "match_subject_alt_names", "match_typed_subject_alt_names", "ca_certificate_provider_instance", "crl"} {
		delete(rules, known)
	}
	v.unread = slices.Sorted(maps.Keys(rules))
	return nil
}

type rawCommonTLS struct {
	Params struct {
		Min string `json:"tls_minimum_protocol_version"`
	} `json:"tls_params"`
	Certificates []json.RawMessage `json:"tls_certificates"`
	SDS          []sds             `json:"tls_certificate_sds_secret_configs"`
	Validation   *rawValidation    `json:"validation_context"`
	ValidSDS     *sds              `json:"validation_context_sds_secret_config"`
	Combined     *struct {
		Default rawValidation `json:"default_validation_context"`
		SDS     sds           `json:"validation_context_sds_secret_config"`
	} `json:"combined_validation_context"`
}

func (c rawCommonTLS) certificates() []string {
	var out []string
	for _, s := range c.SDS {
		out = append(out, s.Name)
	}
	for range c.Certificates {
		out = append(out, inline)
	}
	return out
}

// inline stands for a certificate or roots that are no secret of their own.
const inline = "(inline)"

func (c rawCommonTLS) validation() Validation {
	var out Validation
	rules := c.Validation
	switch {
	case c.Combined != nil:
		rules, out.TrustAnchors = &c.Combined.Default, c.Combined.SDS.Name
	case c.ValidSDS != nil:
		out.TrustAnchors = c.ValidSDS.Name
	}
	if rules == nil {
		return out
	}
	if out.TrustAnchors == "" && (len(rules.Trusted) > 0 || len(rules.Provider) > 0) {
		out.TrustAnchors = inline
	}
	out.AcceptUntrusted, out.Unread = rules.Chain == "ACCEPT_UNTRUSTED", rules.unread
	for _, list := range [][]json.RawMessage{rules.SANs, rules.Typed} {
		for _, raw := range list {
			var typed struct {
				Type    string          `json:"san_type"`
				Matcher json.RawMessage `json:"matcher"`
			}
			if json.Unmarshal(raw, &typed) == nil && len(typed.Matcher) > 0 {
				raw = typed.Matcher
			}
			out.Names = append(out.Names, matcher(raw))
		}
	}
	return out
}

type rawListener struct {
	Name    string `json:"name"`
	Address struct {
		Socket struct {
			Address string `json:"address"`
			Port    int    `json:"port_value"`
		} `json:"socket_address"`
		Pipe struct {
			Path string `json:"path"`
		} `json:"pipe"`
	} `json:"address"`
	Chains  []rawChain `json:"filter_chains"`
	Default *rawChain  `json:"default_filter_chain"`
}

type rawChain struct {
	Name      string                     `json:"name"`
	Match     map[string]json.RawMessage `json:"filter_chain_match"`
	Transport *typed                     `json:"transport_socket"`
	Filters   []typed                    `json:"filters"`
}

// typed is a named extension and its configuration.
type typed struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"typed_config"`
}

func (p *parser) listener(n named, static bool) {
	var raw rawListener
	if !p.read("listener", n.Listener, &raw) {
		return
	}
	out := Listener{Name: raw.Name, Address: raw.Address.Socket.Address, Port: raw.Address.Socket.Port, Static: static}
	if raw.Address.Pipe.Path != "" {
		out.Address = raw.Address.Pipe.Path
	}
	for _, c := range raw.Chains {
		out.Chains = append(out.Chains, p.chain(raw.Name, c))
	}
	if raw.Default != nil {
		c := p.chain(raw.Name, *raw.Default)
		c.Default = true
		out.Chains = append(out.Chains, c)
	}
	p.Listeners = append(p.Listeners, out)
}

func (p *parser) chain(listener string, raw rawChain) Chain {
	out := Chain{Name: raw.Name}
	for _, key := range slices.Sorted(maps.Keys(raw.Match)) {
		value := raw.Match[key]
		switch {
		case key == "server_names":
			p.read("server names of "+listener, value, &out.SNI)
		case key == "transport_protocol" && string(value) == `"tls"`:
		default:
			out.Conditions = append(out.Conditions, key+": "+string(value))
		}
	}
	out.TLS = p.serverTLS(listener, raw.Transport)
	for _, f := range raw.Filters {
		out.Filters = append(out.Filters, f.Name)
		if f.Name == httpManager {
			out.HTTP = p.http(listener, f.Config)
		}
	}
	return out
}

// The names of the extensions that the boundary is made of.
const (
	tlsSocket   = "envoy.transport_sockets.tls"
	httpManager = "envoy.filters.network.http_connection_manager"
	httpRBAC    = "envoy.filters.http.rbac"
)

func (p *parser) serverTLS(listener string, socket *typed) *ServerTLS {
	if socket == nil || socket.Name != tlsSocket {
		return nil
	}
	var raw rawTLS
	p.read("TLS of listener "+listener, socket.Config, &raw)
	return &ServerTLS{ClientCertificate: raw.Require, Certificates: raw.Common.certificates(),
		Validation: raw.Common.validation(), MinVersion: raw.Common.Params.Min}
}

func (p *parser) http(listener string, config json.RawMessage) *HTTP {
	var raw struct {
		Normalize bool   `json:"normalize_path"`
		Merge     bool   `json:"merge_slashes"`
		Escaped   string `json:"path_with_escaped_slashes_action"`
		RDS       struct {
			Name string `json:"route_config_name"`
		} `json:"rds"`
		Inline  json.RawMessage `json:"route_config"`
		Scoped  json.RawMessage `json:"scoped_routes"`
		Filters []struct {
			typed
			Disabled bool `json:"disabled"`
		} `json:"http_filters"`
	}
	p.read("HTTP of listener "+listener, config, &raw)
	out := &HTTP{NormalizePath: raw.Normalize, MergeSlashes: raw.Merge, EscapedSlashes: raw.Escaped, RouteConfig: raw.RDS.Name}
	if len(raw.Inline) > 0 {
		out.RouteConfig = p.routes(raw.Inline, "routes of "+listener)
	}
	if len(raw.Scoped) > 0 {
		p.Refused = append(p.Refused, fmt.Sprintf("listener %s: scoped routes are not understood", listener))
	}
	for _, f := range raw.Filters {
		if f.Disabled {
			continue
		}
		filter := HTTPFilter{Name: f.Name}
		if f.Name == httpRBAC || strings.Contains(string(f.Config), "extensions.filters.http.rbac.v3.RBAC\"") {
			filter.Policy = p.policy(listener, f.Config)
		}
		out.Filters = append(out.Filters, filter)
	}
	return out
}
