// Package kind is the provider whose clusters are nodes of kind: containers of
// a Docker engine, with Kubernetes as kubeadm sets it up, and a real Istio.
//
// Where images can be pulled it takes kind's and Istio's own. Air-gapped it
// makes all of them from pinned Go modules and Debian's packages, and where no
// engine runs either, it brings one up in namespaces of its own. It owns what
// is on the networks that carry its label, and touches nothing else. The
// package must not know of federation.
package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/addr"
	"github.com/meshfed/meshfed/cluster/internal/progress"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
	"github.com/meshfed/meshfed/cluster/kind/internal/engine"
)

// Name is the provider's word on the command line.
const Name = "kind"

// Options say how a Provider works. The zero value pulls images and reports
// nothing.
type Options struct {
	// Airgapped makes every image here instead of pulling it.
	Airgapped bool
	// Progress is where a person reads how it goes; nil is nowhere.
	Progress *os.File
	// StateDir and CacheDir replace "meshfed" in the user's folders.
	StateDir, CacheDir string
}

// Provider makes labs of kind clusters. It is safe for concurrent use, but it
// speaks to one engine: kind runs Docker's client, which is told by the
// process's environment which engine that is.
type Provider struct {
	options  Options
	stateDir string
	cacheDir string
	report   progress.Reporter
}

var _ cluster.Provider = (*Provider)(nil)

// New is a provider for this machine. It touches nothing yet.
func New(o Options) (*Provider, error) {
	p := &Provider{options: o, stateDir: o.StateDir, cacheDir: o.CacheDir, report: progress.Silent()}
	if o.Progress != nil {
		p.report = progress.New(o.Progress)
	}
	var err error
	if p.stateDir == "" {
		if p.stateDir, err = defaultStateDir(); err != nil {
			return nil, fmt.Errorf("kind provider: %w", err)
		}
	}
	if p.cacheDir == "" {
		if p.cacheDir, err = toolchain.DefaultCacheDir(); err != nil {
			return nil, fmt.Errorf("kind provider: %w", err)
		}
	}
	return p, nil
}

func defaultStateDir() (string, error) {
	if base := os.Getenv("XDG_STATE_HOME"); base != "" {
		return filepath.Join(base, "meshfed"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("state folder: %w; set XDG_STATE_HOME", err)
	}
	return filepath.Join(home, ".local", "state", "meshfed"), nil
}

// Name implements cluster.Provider.
func (p *Provider) Name() string { return Name }

func (p *Provider) labsDir() string { return filepath.Join(p.stateDir, "kind", "labs") }

// engine is the project's own; it is used only where there is no other.
func (p *Provider) engine() engine.Engine {
	return engine.Engine{
		Dir: filepath.Join(p.stateDir, "kind", "engine"), DataDir: filepath.Join(p.cacheDir, "kind-engine"),
		Lock: filepath.Join(os.TempDir(), "meshfed-kind-engine.lock"),
	}
}

func (p *Provider) toolchain() toolchain.Config {
	return toolchain.Config{CacheDir: p.cacheDir, Progress: p.report}
}

// names are the labs of which anything is there, up or not.
func (p *Provider) names() ([]string, error) {
	entries, err := os.ReadDir(p.labsDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list labs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// List implements cluster.Provider.
func (p *Provider) List(ctx context.Context) ([]string, error) {
	names, err := p.names()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := p.Open(ctx, name)
		return err != nil
	}), nil
}

// Open implements cluster.Provider.
func (p *Provider) Open(ctx context.Context, name string) (cluster.Lab, error) {
	if err := cluster.ValidateName("lab", name); err != nil {
		return nil, err
	}
	l := p.lab(name)
	err := l.readRecord()
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("lab %q: %w", name, cluster.ErrNoLab)
	}
	if err != nil {
		return nil, fmt.Errorf("lab %q: %w", name, err)
	}
	if !l.record.Ready {
		return nil, fmt.Errorf("lab %q is not up: another run is bringing it up, or one was killed while it did: `conformance cleanup --provider kind` removes what it left", name)
	}
	if err := l.running(ctx); err != nil {
		return nil, fmt.Errorf("lab %q: its nodes are gone or stopped (%w): `conformance cleanup --provider kind` removes what is left", name, err)
	}
	return l, nil
}

// Create implements cluster.Provider. The lab outlives this process; one that
// was half made by a killed process is removed by Cleanup.
func (p *Provider) Create(ctx context.Context, name string, t cluster.Topology) (cluster.Lab, error) {
	if err := t.Fits(name, addr.MaxClusters); err != nil {
		return nil, err
	}
	host, err := p.chooseEngine(ctx)
	if err != nil {
		return nil, fmt.Errorf("kind provider: %w", err)
	}
	parts, err := p.parts(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("kind provider: %w", err)
	}
	l := p.lab(name)
	if err := l.create(ctx, t, parts, host); err != nil {
		return nil, fmt.Errorf("create lab %q: %w", name, err)
	}
	return l, nil
}
