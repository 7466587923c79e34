// Package embedded is the provider that needs no Docker and no cloud: each
// cluster is a real Kubernetes (etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kube-proxy, kubelet) in Linux namespaces of this machine,
// over a runtime that runs containers as processes, with a real Istio.
//
// The whole lab lives below one process in namespaces of its own: nothing of
// it is on the host's network or mounts, no packet can leave the machine, and
// when that process ends the kernel frees everything. The package must not
// know of federation.
package embedded

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
)

// Name is the provider's word on the command line.
const Name = "embedded"

// Provider makes labs on this machine. Safe for concurrent use; several labs
// can be up side by side.
type Provider struct {
	stateDir string
	cacheDir string
	report   progress.Reporter
}

var _ cluster.Provider = (*Provider)(nil)

// Option changes a Provider; it may be refused.
type Option interface{ apply(*Provider) error }

type option func(*Provider) error

func (o option) apply(p *Provider) error { return o(p) }

// WithProgress shows progress on f: a live line on a terminal, plain lines
// elsewhere. Without it nothing is shown.
func WithProgress(f *os.File) Option {
	return option(func(p *Provider) error {
		p.report = progress.New(f)
		return nil
	})
}

// WithStateDir keeps the labs' state below dir instead of
// $XDG_STATE_HOME/meshfed (by default ~/.local/state/meshfed).
func WithStateDir(dir string) Option {
	return option(func(p *Provider) error {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("state folder %s: %w", dir, err)
		}
		p.stateDir = abs
		return nil
	})
}

// New is a provider for this machine. It touches nothing yet.
func New(options ...Option) (*Provider, error) {
	p := &Provider{report: progress.Silent()}
	for _, o := range options {
		if err := o.apply(p); err != nil {
			return nil, fmt.Errorf("embedded provider: %w", err)
		}
	}
	if err := p.setDefaults(); err != nil {
		return nil, fmt.Errorf("embedded provider: %w", err)
	}
	return p, nil
}

func (p *Provider) setDefaults() error {
	if p.stateDir == "" {
		base := os.Getenv("XDG_STATE_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return fmt.Errorf("state folder: %w; set XDG_STATE_HOME", err)
			}
			base = filepath.Join(home, ".local", "state")
		}
		p.stateDir = filepath.Join(base, "meshfed")
	}
	var err error
	p.cacheDir, err = toolchain.DefaultCacheDir()
	return err
}

// Name implements cluster.Provider.
func (p *Provider) Name() string { return Name }

// Open implements cluster.Provider.
func (p *Provider) Open(_ context.Context, name string) (cluster.Lab, error) {
	if err := cluster.ValidateName("lab", name); err != nil {
		return nil, err
	}
	l := p.lab(name)
	if !l.alive() {
		return nil, fmt.Errorf("lab %q: %w", name, cluster.ErrNoLab)
	}
	if err := l.readRecord(); err != nil {
		return nil, fmt.Errorf("lab %q is not ready: %w", name, err)
	}
	return l, nil
}

// List implements cluster.Provider.
func (p *Provider) List(context.Context) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(p.stateDir, "labs"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list labs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if p.lab(e.Name()).alive() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Create implements cluster.Provider. The lab ends with this process, however
// that ends, unless it is detached (see Lab.Detach).
func (p *Provider) Create(ctx context.Context, name string, t cluster.Topology) (cluster.Lab, error) {
	if err := t.Fits(name, addr.MaxClusters); err != nil {
		return nil, err
	}
	parts, err := p.parts(ctx, t)
	if err != nil {
		return nil, err
	}
	l := p.lab(name)
	if err := l.create(ctx, t, parts); err != nil {
		return nil, fmt.Errorf("create lab %q: %w", name, err)
	}
	return l, nil
}
