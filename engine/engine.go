// Package engine is the seam between the harness and a federation engine: the
// system under test. An engine gets declarations as YAML and brings a cluster
// into that state; how it does so is its own business, and whether it did is
// the features' business.
//
// The package must not know of features, steps or traffic.
package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/cluster"
)

// Engine is a system under test. Implementations are safe for concurrent use
// on different clusters.
type Engine interface {
	// Name is the engine's word on the command line and in reports.
	Name() string
	// Version of the engine, for reports; empty if it does not know.
	Version() string
	// Capabilities are those it claims to have. A scenario that needs
	// another one is reported as not supported.
	Capabilities() []Capability
	// Apply makes the cluster hold exactly what the declarations say: what
	// an earlier Apply made and they no longer ask for is taken away. It
	// returns when the API server has accepted everything, not when the
	// gateways have. ErrUnsupported says that it does not do what is
	// declared, and has not begun to.
	Apply(ctx context.Context, c cluster.Cluster, declarations string) error
	// Cancel takes away what the declarations ask for, and leaves no trace
	// when nothing else was applied. What is not there is no error.
	Cancel(ctx context.Context, c cluster.Cluster, declarations string) error
}

// ErrUnsupported marks an error by which an engine says that declarations are
// beyond its repertoire. A scenario that meets one is reported as not supported;
// since the engine has declared the capabilities that it needs, the profile is
// then no success.
var ErrUnsupported = errors.New("beyond the engine's repertoire")

// Installer is an Engine that needs something inside the clusters, such as a
// controller. What it installs is no part of what it federates: it is there
// before the first scenario, and the inventories that scenarios are compared with
// are taken beside it.
type Installer interface {
	// Namespaces are those that Install makes and nobody else uses: what the
	// engine's workloads log there is evidence.
	Namespaces() []string
	// Install is idempotent and returns when the engine can work.
	Install(ctx context.Context, c cluster.Cluster) error
	// Uninstall takes away what was federated, and then all of the engine.
	Uninstall(ctx context.Context, c cluster.Cluster) error
}

// Capability is something an engine may or may not be able to do. The
// vocabulary is closed, since each word is also a tag of the features.
type Capability string

// The capabilities. A scenario has the tag "@" + capability if it needs it.
const (
	// Expose: offer a service, or a subset of it, to a named peer.
	Expose Capability = "expose"
	// Consume: serve a local name from a peer.
	Consume Capability = "consume"
	// ACL: grant peers different paths and methods.
	ACL Capability = "acl"
	// HeaderRouting: decide by request headers which requests leave.
	HeaderRouting Capability = "header-routing"
	// WeightedRouting: divide requests between here and there.
	WeightedRouting Capability = "weighted-routing"
	// PeerIdentity: verify the identity of the peer's server certificate.
	PeerIdentity Capability = "peer-identity"
)

// Capabilities is the whole vocabulary.
func Capabilities() []Capability {
	return []Capability{Expose, Consume, ACL, HeaderRouting, WeightedRouting, PeerIdentity}
}

// Words are capabilities as plain strings.
func Words(capabilities []Capability) []string {
	words := make([]string, 0, len(capabilities))
	for _, c := range capabilities {
		words = append(words, string(c))
	}
	return words
}

// Opener makes an engine of an argument, such as a program's path.
type Opener func(ctx context.Context, argument string) (Engine, error)

// Known are the engines that a command line can name: some by their name, some
// by a word and an argument ("exec:./my-engine").
type Known struct {
	Engines []Engine
	// Openers by their word.
	Openers map[string]Opener
}

// Choose returns the engine of that name, or an error that lists them. An
// engine with an argument may be contacted.
func (k Known) Choose(ctx context.Context, name string) (Engine, error) {
	if word, argument, is := strings.Cut(name, ":"); is && k.Openers[word] != nil {
		return k.Openers[word](ctx, argument)
	}
	var names []string
	for word := range k.Openers {
		names = append(names, word+":…")
	}
	for _, e := range k.Engines {
		if e.Name() == name {
			return e, nil
		}
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return nil, fmt.Errorf("no engine %q; there are: %s", name, strings.Join(names, ", "))
}
