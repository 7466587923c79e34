package envoy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config is what one Envoy runs.
type Config struct {
	Listeners []Listener
	// Routes, Clusters and Secrets are by name.
	Routes   map[string]RouteConfig
	Clusters map[string]Cluster
	Secrets  map[string]Secret
	// Refused is what Envoy was told and has not taken, one line each: it runs
	// something older than what the control plane believes.
	Refused []string
	// Drain is how long what came by a listener that has been replaced may go
	// on; 0 if the dump does not say. Istio tells it to Envoy on the command line,
	// and leaves it in the node's metadata.
	Drain time.Duration
}

// named is one entry of a dump: what is active, what waits, what was refused.
type named struct {
	Name     string          `json:"name"`
	Listener json.RawMessage `json:"listener"`
	Cluster  json.RawMessage `json:"cluster"`
	Route    json.RawMessage `json:"route_config"`
	Endpoint json.RawMessage `json:"endpoint_config"`
	Secret   json.RawMessage `json:"secret"`
	Active   *named          `json:"active_state"`
	Warming  *named          `json:"warming_state"`
	Error    *struct {
		Details string `json:"details"`
	} `json:"error_state"`
}

// section is one message of a dump. Those that are of no interest have other
// fields and stay empty.
type section struct {
	Type             string  `json:"@type"`
	StaticListeners  []named `json:"static_listeners"`
	DynamicListeners []named `json:"dynamic_listeners"`
	StaticClusters   []named `json:"static_clusters"`
	ActiveClusters   []named `json:"dynamic_active_clusters"`
	WarmingClusters  []named `json:"dynamic_warming_clusters"`
	StaticRoutes     []named `json:"static_route_configs"`
	DynamicRoutes    []named `json:"dynamic_route_configs"`
	ScopedRoutes     []named `json:"inline_scoped_route_configs"`
	StaticSecrets    []named `json:"static_secrets"`
	ActiveSecrets    []named `json:"dynamic_active_secrets"`
	WarmingSecrets   []named `json:"dynamic_warming_secrets"`
	StaticEndpoints  []named `json:"static_endpoint_configs"`
	DynamicEndpoints []named `json:"dynamic_endpoint_configs"`
	Bootstrap        struct {
		Node struct {
			Metadata struct {
				ProxyConfig struct {
					DrainDuration string `json:"drainDuration"`
				} `json:"PROXY_CONFIG"`
			} `json:"metadata"`
		} `json:"node"`
	} `json:"bootstrap"`
}

// Parse reads the answer of Envoy's /config_dump. With ?include_eds it also
// holds the addresses behind each cluster.
func Parse(raw []byte) (Config, error) {
	var dump struct {
		Configs []section `json:"configs"`
	}
	if err := json.Unmarshal(raw, &dump); err != nil {
		return Config{}, fmt.Errorf("read the configuration of Envoy: %w", err)
	}
	p := parser{Config: Config{Routes: map[string]RouteConfig{}, Clusters: map[string]Cluster{}, Secrets: map[string]Secret{}}}
	known := 0
	for _, s := range dump.Configs {
		if strings.HasSuffix(s.Type, ".ListenersConfigDump") || strings.HasSuffix(s.Type, ".ClustersConfigDump") || strings.HasSuffix(s.Type, ".RoutesConfigDump") {
			known++
		}
		p.section(s)
	}
	for _, s := range dump.Configs {
		// Only now are all clusters known.
		for _, e := range slices.Concat(s.StaticEndpoints, s.DynamicEndpoints) {
			p.endpoints(e)
		}
	}
	if known < 3 {
		return Config{}, fmt.Errorf("read the configuration of Envoy: it has %d of listeners, clusters and routes; is this the answer of /config_dump?", known)
	}
	return p.Config, p.err
}

type parser struct {
	Config
	err error
}

func (p *parser) section(s section) {
	if text := s.Bootstrap.Node.Metadata.ProxyConfig.DrainDuration; text != "" && p.err == nil {
		if p.Drain, p.err = time.ParseDuration(text); p.err != nil {
			p.err = fmt.Errorf("read the configuration of Envoy: drain duration: %w", p.err)
		}
	}
	for _, l := range s.StaticListeners {
		p.listener(l, true)
	}
	for _, l := range s.DynamicListeners {
		p.refused("listener", l)
		if l.Active != nil {
			p.listener(*l.Active, false)
		}
	}
	for _, list := range [][]named{s.StaticClusters, s.ActiveClusters} {
		for _, c := range list {
			p.cluster(c)
		}
	}
	for _, list := range [][]named{s.StaticRoutes, s.DynamicRoutes} {
		for _, r := range list {
			p.refused("routes", r)
			p.routes(r.Route, "")
		}
	}
	if len(s.ScopedRoutes) > 0 {
		p.Refused = append(p.Refused, "scoped routes are not understood")
	}
	for _, list := range [][]named{s.StaticSecrets, s.ActiveSecrets} {
		for _, secret := range list {
			p.secret(secret)
		}
	}
	for _, secret := range s.WarmingSecrets {
		p.Refused = append(p.Refused, "secret "+secret.Name+" has not arrived")
	}
}

func (p *parser) refused(what string, n named) {
	if n.Error != nil {
		p.Refused = append(p.Refused, strings.TrimSpace(fmt.Sprintf("%s %s: %s", what, n.Name, n.Error.Details)))
	}
	if n.Active == nil && n.Warming != nil {
		p.Refused = append(p.Refused, fmt.Sprintf("%s %s waits for something and is not in use", what, n.Name))
	}
}

// read decodes one entry; the first error is kept.
func (p *parser) read(what string, raw json.RawMessage, into any) bool {
	if p.err != nil || len(raw) == 0 {
		return false
	}
	if err := json.Unmarshal(raw, into); err != nil {
		p.err = fmt.Errorf("read the configuration of Envoy: %s: %w", what, err)
		return false
	}
	return true
}
