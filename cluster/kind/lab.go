package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	kind "sigs.k8s.io/kind/pkg/cluster"

	"github.com/meshfed/meshfed/cluster"
)

// deleteLimit bounds the end of a lab.
const deleteLimit = 90 * time.Second

// Lab is a lab of this provider.
type Lab struct {
	provider *Provider
	name     string
	dir      string
	record   record
	// maker is held for as long as the process that makes or uses a lab of
	// its own is alive; see Detach.
	maker *os.File
}

var _ cluster.Lab = (*Lab)(nil)

// record is what another process needs to know of a lab. It is written before
// anything is made, so that whatever is left can be found.
type record struct {
	// Host is the engine's address; empty is Docker's own idea.
	Host string `json:"host,omitempty"`
	// Own says that the engine is the project's own.
	Own bool `json:"own,omitempty"`
	// Network is the number of the lab's network in an engine of our own.
	Network  int             `json:"network,omitempty"`
	Ready    bool            `json:"ready,omitempty"`
	Clusters []clusterRecord `json:"clusters"`
	// Images are those that every node has.
	Images   []string `json:"images,omitempty"`
	ToolsDir string   `json:"toolsDir,omitempty"`
}

type clusterRecord struct {
	Name string `json:"name"`
	// Kind is the cluster's name for kind.
	Kind string `json:"kind"`
	// Node is the node's address.
	Node netip.Addr `json:"node,omitzero"`
}

func (p *Provider) lab(name string) *Lab {
	return &Lab{provider: p, name: name, dir: filepath.Join(p.labsDir(), name)}
}

func (l *Lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l *Lab) docker() docker { return l.provider.docker(l.record.Host) }

func (l *Lab) writeRecord() error {
	b, err := json.Marshal(l.record)
	if err == nil {
		err = os.WriteFile(l.path("lab.json.tmp"), b, 0o600)
	}
	if err == nil {
		err = os.Rename(l.path("lab.json.tmp"), l.path("lab.json"))
	}
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

func (l *Lab) readRecord() error {
	b, err := os.ReadFile(l.path("lab.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &l.record); err != nil {
		return fmt.Errorf("%s: %w", l.path("lab.json"), err)
	}
	return nil
}

// lockMaker takes the lock that says that a live process is making the lab.
func (l *Lab) lockMaker() error {
	f, err := os.OpenFile(l.path("maker.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return err
	}
	l.maker = f
	return nil
}

// beingMade says whether a live process has the lab for itself.
func (l *Lab) beingMade() bool {
	if _, err := os.Stat(l.path("maker.lock")); err != nil {
		return false
	}
	err := l.lockMaker()
	l.releaseMaker()
	return errors.Is(err, unix.EWOULDBLOCK)
}

func (l *Lab) releaseMaker() {
	if l.maker != nil {
		l.maker.Close()
		l.maker = nil
	}
}

// running holds if every node is.
func (l *Lab) running(ctx context.Context) error {
	nodes, err := l.docker().runningNodes(ctx, l.record.Clusters)
	if err != nil {
		return err
	}
	if len(nodes) < len(l.record.Clusters) {
		return fmt.Errorf("%d of %d run", len(nodes), len(l.record.Clusters))
	}
	return nil
}

// Name implements cluster.Lab.
func (l *Lab) Name() string { return l.name }

// Provider implements cluster.Lab.
func (l *Lab) Provider() string { return Name }

// Clusters implements cluster.Lab.
func (l *Lab) Clusters() []cluster.Cluster {
	all := make([]cluster.Cluster, len(l.record.Clusters))
	for i := range l.record.Clusters {
		all[i] = l.member(i)
	}
	return all
}

func (l *Lab) member(i int) *member { return &member{lab: l, record: l.record.Clusters[i]} }

// Cluster implements cluster.Lab.
func (l *Lab) Cluster(name string) (cluster.Cluster, error) {
	var names []string
	for i, c := range l.record.Clusters {
		if c.Name == name {
			return l.member(i), nil
		}
		names = append(names, c.Name)
	}
	return nil, fmt.Errorf("lab %q has no cluster %q; it has %s", l.name, name, strings.Join(names, ", "))
}

// Detach says that the lab is to stay when this process ends.
func (l *Lab) Detach(context.Context) error {
	l.releaseMaker()
	return nil
}

// Remove is the command that removes the lab.
func (l *Lab) Remove() string { return "conformance cleanup --provider kind --lab " + l.name }

// ExportLogs implements cluster.Lab.
func (l *Lab) ExportLogs(ctx context.Context, dir string) error {
	if err := l.docker().use(networkName(l.name)); err != nil {
		return fmt.Errorf("export logs: %w", err)
	}
	var errs []error
	for _, c := range l.record.Clusters {
		done := make(chan error, 1)
		go func() { done <- library().CollectLogs(c.Kind, filepath.Join(dir, c.Name)) }()
		select {
		case err := <-done:
			if err != nil {
				errs = append(errs, fmt.Errorf("export logs of %s: %w", c.Name, explained(err)))
			}
		case <-ctx.Done():
			return errors.Join(append(errs, fmt.Errorf("export logs of %s: %w", c.Name, context.Cause(ctx)))...)
		}
	}
	return errors.Join(errs...)
}

// library is kind.
func library() *kind.Provider { return kind.NewProvider(kind.ProviderWithDocker()) }

// Delete implements cluster.Lab.
func (l *Lab) Delete(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, deleteLimit, fmt.Errorf("not gone within %s", deleteLimit))
	defer cancel()
	if err := l.delete(ctx); err != nil {
		return fmt.Errorf("delete lab %q: %w", l.name, err)
	}
	return nil
}

func (l *Lab) delete(ctx context.Context) error {
	up := true
	if l.record.Own {
		hold, err := l.provider.engine().Hold()
		if err != nil {
			return err
		}
		defer hold.Close()
		if up, err = l.provider.engine().Ready(ctx); err != nil {
			return err
		}
	}
	if up {
		if err := l.docker().remove(ctx, l.name, l.record.Clusters); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return err
	}
	l.releaseMaker()
	if !l.record.Own {
		return nil
	}
	return l.provider.stopUnused(ctx)
}

// stopUnused stops the engine of our own after its last lab. The caller holds
// it.
func (p *Provider) stopUnused(ctx context.Context) error {
	names, err := p.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		other := p.lab(name)
		if other.readRecord() == nil && other.record.Own {
			return nil
		}
	}
	return p.engine().Stop(ctx)
}
