package envoy

import (
	"fmt"
	"strings"
)

// route finds the virtual host by the authority and the first route that fits.
func (f *follower) route(h HTTP) {
	config := f.Routes[h.RouteConfig]
	host, found := config.pick(f.request.Authority)
	if !found {
		f.step(Step{Layer: LayerRoute, By: "routes " + h.RouteConfig, Story: fmt.Sprintf("404: no virtual host is for %q", f.request.Authority)})
		return
	}
	path := f.value(FieldPath)
	for _, r := range host.Routes {
		fits, known := r.Path.Matches(path)
		if !fits || !known || !f.fits(r.Conditions) {
			continue
		}
		by := fmt.Sprintf("%s, host %s, route %s", h.RouteConfig, host.Name, r.Path)
		if r.Answer != "" || len(r.To) == 0 {
			f.step(Step{Layer: LayerRoute, By: by, Object: r.Object, Story: "it answers itself: " + r.Answer})
			return
		}
		f.step(Step{Layer: LayerRoute, Passed: true, By: by, Object: r.Object, Story: f.leads(r)})
		for _, to := range r.To {
			f.backend(to.Cluster)
		}
		return
	}
	f.step(Step{Layer: LayerRoute, By: fmt.Sprintf("%s, host %s", h.RouteConfig, host.Name), Story: fmt.Sprintf("404: none of %d routes is for %s", len(host.Routes), path)})
}

func (f *follower) leads(r Route) string {
	path := f.request.Path
	if r.Rewrite != "" && r.Path.Kind == Prefix {
		path = r.Rewrite + strings.TrimPrefix(path, r.Path.Value)
	}
	var to []string
	for _, w := range r.To {
		name := w.Cluster
		if len(r.To) > 1 {
			name = fmt.Sprintf("%d to %s", w.Weight, name)
		}
		to = append(to, name)
	}
	story := fmt.Sprintf("to %s as %s", strings.Join(to, " and "), path)
	if r.Authority != "" {
		story += " for " + r.Authority
	}
	return story
}

// pick finds the virtual host as Envoy does: the exact authority, then the
// longest wildcard at the front, then at the end, then everything.
func (c RouteConfig) pick(authority string) (VirtualHost, bool) {
	best, score := -1, -1
	authority = strings.ToLower(authority)
	if host, port, ok := strings.Cut(authority, ":"); ok && c.IgnorePort && !strings.Contains(port, ":") {
		authority = host
	}
	for i, h := range c.Hosts {
		for _, domain := range h.Domains {
			if s := fit(strings.ToLower(domain), authority); s > score {
				best, score = i, s
			}
		}
	}
	if best < 0 {
		return VirtualHost{}, false
	}
	return c.Hosts[best], true
}

// The ranks of the ways in which a domain takes an authority; longer wildcards
// come before shorter ones.
const (
	rankExact  = 1 << 20
	rankSuffix = 1 << 19
	rankPrefix = 1 << 18
)

func fit(domain, authority string) int {
	if domain == authority {
		return rankExact
	}
	if domain == "*" {
		return 0
	}
	if suffix, wild := strings.CutPrefix(domain, "*"); wild && strings.HasSuffix(authority, suffix) {
		return rankSuffix + len(domain)
	}
	if prefix, wild := strings.CutSuffix(domain, "*"); wild && strings.HasPrefix(authority, prefix) {
		return rankPrefix + len(domain)
	}
	return -1
}

func (f *follower) backend(name string) {
	c, known := f.Clusters[name]
	out := Step{Layer: LayerBackend, By: "cluster " + name, Cluster: name}
	healthy := 0
	var addresses []string
	for _, e := range c.Endpoints {
		addresses = append(addresses, e.Address)
		if e.Healthy {
			healthy++
		}
	}
	switch {
	case !known:
		out.Layer = LayerRoute
		out.Story = "503: the cluster is not there (is there such a subset in a DestinationRule that the gateway can see?)"
	case healthy == 0:
		out.Story = fmt.Sprintf("503: none of %d addresses is healthy (%s)", len(addresses), strings.Join(addresses, ", "))
	default:
		out.Passed, out.Story = true, "at "+strings.Join(addresses, ", ")
	}
	f.step(out)
}
