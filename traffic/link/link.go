// Package link is a way to a gateway that can be cut, slowed and torn down: a
// relay of TCP in user space, so that it works wherever the gateway is. It
// knows nothing of TLS or HTTP.
package link

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Trouble is the closed set of what can happen to a link.
type Trouble string

// The troubles.
const (
	// Cut lets nothing through, and says nothing.
	Cut Trouble = "cut"
	// Slow delays each direction by SlowBy.
	Slow Trouble = "slowed"
	// Torn resets each connection.
	Torn Trouble = "reset"
)

// slowByMillis is the delay of a slow link in each direction.
const slowByMillis = 150

// toxic is a trouble in the words of toxiproxy.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"`
	Attributes map[string]int `json:"attributes"`
}

func toxics(t Trouble) []toxic {
	return map[Trouble][]toxic{
		Cut:  {{Name: "up", Type: "timeout", Stream: "upstream"}, {Name: "down", Type: "timeout", Stream: "downstream"}},
		Slow: {{"up", "latency", "upstream", map[string]int{"latency": slowByMillis}}, {"down", "latency", "downstream", map[string]int{"latency": slowByMillis}}},
		Torn: {{Name: "up", Type: "reset_peer", Stream: "upstream"}},
	}[t]
}

// Link relays connections to one address.
type Link struct{ proxy *toxiproxy.Proxy }

// Open makes a link to the host:port that works.
func Open(upstream string) (*Link, error) { return open("127.0.0.1:0", upstream) }

func open(listen, upstream string) (*Link, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, upstream, listen, upstream)
	if err := proxy.Start(); err != nil {
		return nil, fmt.Errorf("link to %s: %w", upstream, err)
	}
	return &Link{proxy}, nil
}

// Address is the host:port that leads to the other end.
func (l *Link) Address() string { return l.proxy.Listen }

// Break makes trouble, also for connections that are open.
func (l *Link) Break(t Trouble) error {
	all := toxics(t)
	if len(all) == 0 {
		return fmt.Errorf("a link that is %q: want %q, %q or %q", t, Cut, Slow, Torn)
	}
	for _, one := range all {
		text, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("link to %s: %w", l.proxy.Upstream, err)
		}
		if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
			return fmt.Errorf("link to %s: %s: %w", l.proxy.Upstream, t, err)
		}
	}
	return nil
}

// Heal ends all trouble; connections that have met it stay as they are.
func (l *Link) Heal(ctx context.Context) { l.proxy.Toxics.ResetToxics(ctx) }

// Close ends the link and the connections over it.
func (l *Link) Close() { l.proxy.Stop() }
