package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/meshfed/meshfed/cluster"
)

// Lab is a lab that comes up with the first of its clusters and goes with the
// last. It is safe for concurrent use.
type Lab struct {
	provider cluster.Provider
	name     string
	topology cluster.Topology

	mu    sync.Mutex
	lab   cluster.Lab
	users int
}

// NewLab is a lab of that name and topology. It touches nothing yet. A lab
// that is up already is not adopted: its maker counts on having it alone.
func NewLab(p cluster.Provider, name string, t cluster.Topology) (*Lab, error) {
	if err := errors.Join(cluster.ValidateName("lab", name), t.Validate()); err != nil {
		return nil, fmt.Errorf("e2e: %w", err)
	}
	return &Lab{provider: p, name: name, topology: t}, nil
}

// Cluster is for envfuncs.CreateCluster, which names the cluster of the
// topology that is meant. Each call needs one of its own.
func (l *Lab) Cluster() *Cluster { return &Cluster{lab: l} }

func (l *Lab) take(ctx context.Context, name string) (cluster.Cluster, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lab == nil {
		up, err := l.provider.Create(ctx, l.name, l.topology)
		if err != nil {
			return nil, err
		}
		l.lab = up
	}
	c, err := l.lab.Cluster(name)
	if err == nil {
		l.users++
		return c, nil
	}
	if l.users == 0 {
		err = errors.Join(err, l.remove(ctx))
	}
	return nil, err
}

func (l *Lab) release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users > 0 {
		return nil
	}
	return l.remove(ctx)
}

func (l *Lab) remove(ctx context.Context) error {
	// A test that was interrupted still has to leave nothing behind.
	err := l.lab.Delete(context.WithoutCancel(ctx))
	if err == nil {
		l.lab = nil
	}
	return err
}

func (l *Lab) exportLogs(ctx context.Context, dir string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lab.ExportLogs(ctx, dir)
}
