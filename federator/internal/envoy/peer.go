package envoy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The layers between this mesh's egress gateway and a peer, and before it.
const (
	// LayerName: callers cannot find the name.
	LayerName Layer = "name resolution"
	// LayerConsumerRoute: this mesh does not lead it to the peer.
	LayerConsumerRoute Layer = "consumer route"
	// LayerEgressTLS: callers and the egress gateway do not agree.
	LayerEgressTLS Layer = "egress TLS"
	// LayerAddress: nobody answers at the peer's address.
	LayerAddress Layer = "peer's address"
)

// Peer follows a request that is led to a cluster outside the mesh: where it is,
// which server name is asked for, and by what both sides are known. What has
// become of connections is in it, if the configuration was told (Count, Hear). The
// last step is the one that decides.
func (c Config) Peer(cluster string, at time.Time) []Step {
	f := follower{Config: c, request: Request{At: at}}
	target := c.Clusters[cluster]
	_ = f.step(f.address(target)) && f.step(f.serverName(target)) && f.step(f.credentials(target))
	return f.steps
}

func (f *follower) address(c Cluster) Step {
	out := Step{Layer: LayerAddress, By: "cluster " + c.Name}
	var addresses []string
	healthy, tried, failed := 0, 0, 0
	for _, e := range c.Endpoints {
		addresses = append(addresses, e.String())
		if e.Healthy {
			healthy++
		}
		tried, failed = tried+e.Connections, failed+e.Failed
	}
	at := strings.Join(addresses, ", ")
	switch {
	case len(c.Endpoints) == 0:
		out.Story = "it has no address: its name does not resolve, or no ServiceEntry has one"
	case healthy == 0:
		out.Story = "no address is healthy: " + at
	case c.Last.Failed() && c.Last.layer() == LayerAddress:
		out.Story = fmt.Sprintf("at %s; %s", at, c.Last)
	case c.Last == (Attempt{}) && tried > 0 && tried == failed:
		out.Story = fmt.Sprintf("at %s: all connections have failed, and the gateway's log does not say why; the server name or a certificate can be wrong as well", at)
	default:
		out.Passed, out.Story = true, "at "+at
	}
	return out
}

func (f *follower) serverName(c Cluster) Step {
	out := Step{Layer: LayerSNI, By: "cluster " + c.Name, Object: c.Object}
	switch {
	case c.TLS == nil:
		out.Layer, out.Story = LayerHandshake, "it is spoken to without TLS, and a private gateway takes nothing else"
	case c.Last.Failed() && c.Last.layer() == LayerSNI:
		out.Story = fmt.Sprintf("the server name %q is asked for, and the peer ends the connection before the handshake, as it does for a name that it does not serve; %s", c.TLS.SNI, c.Last)
	default:
		out.Passed, out.Story = true, fmt.Sprintf("the server name %q is asked for", c.TLS.SNI)
	}
	return out
}

// credentials also hold what the peer made of them: to a caller a handshake is
// one thing.
func (f *follower) credentials(c Cluster) Step {
	out := Step{Layer: LayerHandshake, By: "cluster " + c.Name, Object: c.Object}
	shows := append(slices.Clone(c.TLS.Certificates), c.TLS.TrustAnchors)
	for _, name := range shows {
		if _, there := f.Secrets[name]; !there && name != inline {
			out.Story = fmt.Sprintf("the secret %q is not there", name)
			return out
		}
	}
	if story, bad := f.notValid(shows); bad {
		out.Story = story
		return out
	}
	names := spell(c.TLS.Names)
	if names == "" {
		names = "anybody"
	}
	out.Story = fmt.Sprintf("it shows %s, and the peer must be %s by the roots of %s", f.untilWhen(c.TLS.Certificates), names, c.TLS.TrustAnchors)
	if c.Last.Failed() {
		out.Story += "; " + c.Last.String()
		return out
	}
	out.Passed = true
	if c.Last != (Attempt{}) {
		out.Story += "; " + c.Last.String()
	}
	return out
}

// untilWhen names secrets with the end of their certificates.
func (f *follower) untilWhen(secrets []string) string {
	out := make([]string, 0, len(secrets))
	for _, name := range secrets {
		text := name
		for _, one := range f.Secrets[name].Certificates {
			text += fmt.Sprintf(" (valid until %s)", one.NotAfter.UTC().Format(time.DateTime))
			break // the leaf; what follows are its issuers
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "no certificate"
	}
	return strings.Join(out, ", ")
}

// notValid says which of some secrets holds a certificate that has not begun or
// has ended.
func (f *follower) notValid(secrets []string) (string, bool) {
	for _, name := range secrets {
		if bad, found := f.Secrets[name].NotValid(f.request.At); found {
			return fmt.Sprintf("%s holds a certificate that is valid from %s to %s only: callers, or the gateway, end the handshake", name,
				bad.NotBefore.UTC().Format(time.DateTime), bad.NotAfter.UTC().Format(time.DateTime)), true
		}
	}
	return "", false
}
