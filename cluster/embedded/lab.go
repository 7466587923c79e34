package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/control"
)

// stopLimit bounds the end of a lab: a kill and the kernel's clean-up.
const stopLimit = 10 * time.Second

// Lab is a lab of this provider.
type Lab struct {
	provider *Provider
	name     string
	dir      string
	record   record
	clusters []*member

	mu sync.Mutex
	// process is the lab's, if this process made it.
	process *os.Process
	// life is the pipe end whose closing ends the lab.
	life *os.File
}

var _ cluster.Lab = (*Lab)(nil)

// record is what another process needs to know of a lab that is up.
type record struct {
	// PID is the lab's pid 1 as the host sees it.
	PID int `json:"pid"`
	// ToolsDir holds the programs that the lab was made with.
	ToolsDir string          `json:"toolsDir"`
	Clusters []clusterRecord `json:"clusters"`
}

type clusterRecord struct {
	Name string `json:"name"`
	API  string `json:"api"`
}

func (p *Provider) lab(name string) *Lab {
	return &Lab{provider: p, name: name, dir: filepath.Join(p.stateDir, "labs", name)}
}

func (l *Lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l *Lab) socket() string { return l.path("control.sock") }

// lock takes the state directory's lock; the lab's process inherits it, so
// that the lock is held for exactly as long as the lab lives.
func (l *Lab) lock() (*os.File, error) {
	f, err := os.OpenFile(l.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (l *Lab) alive() bool {
	if _, err := os.Stat(l.path("lock")); err != nil {
		return false
	}
	f, err := l.lock()
	if err == nil {
		f.Close()
	}
	return errors.Is(err, unix.EWOULDBLOCK)
}

func (l *Lab) writeRecord() error {
	b, err := json.Marshal(l.record)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	tmp := l.path("lab.json.tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return os.Rename(tmp, l.path("lab.json"))
}

func (l *Lab) readRecord() error {
	b, err := os.ReadFile(l.path("lab.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("another run is bringing it up; wait for it, or choose another name with --lab")
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &l.record); err != nil {
		return fmt.Errorf("%s: %w", l.path("lab.json"), err)
	}
	l.setClusters()
	return nil
}

func (l *Lab) setClusters() {
	l.clusters = nil
	for i, c := range l.record.Clusters {
		l.clusters = append(l.clusters, &member{lab: l, index: i, name: c.Name})
	}
}

// Name implements cluster.Lab.
func (l *Lab) Name() string { return l.name }

// Provider implements cluster.Lab.
func (l *Lab) Provider() string { return Name }

// Clusters implements cluster.Lab.
func (l *Lab) Clusters() []cluster.Cluster {
	all := make([]cluster.Cluster, len(l.clusters))
	for i, c := range l.clusters {
		all[i] = c
	}
	return all
}

// Cluster implements cluster.Lab.
func (l *Lab) Cluster(name string) (cluster.Cluster, error) {
	c, err := l.member(name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l *Lab) member(name string) (*member, error) {
	var names []string
	for _, c := range l.clusters {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return nil, fmt.Errorf("lab %q has no cluster %q; it has %s", l.name, name, strings.Join(names, ", "))
}

// Detach lets the lab outlive this process; it is then up until Delete.
func (l *Lab) Detach(ctx context.Context) error {
	return control.Call(ctx, l.socket(), control.Request{Op: control.Detach}, nil)
}

// ToolsDir is the folder of kubectl, istioctl and the lab's other programs, in
// the versions that the lab runs.
func (l *Lab) ToolsDir() string { return l.record.ToolsDir }

// LogDir is the folder of a cluster's component logs, one file a component.
func (l *Lab) LogDir(name string) string { return l.path("logs", name) }

// ExportLogs implements cluster.Lab.
func (l *Lab) ExportLogs(_ context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("export logs: %w", err)
	}
	for _, c := range l.clusters {
		if err := os.CopyFS(filepath.Join(dir, c.name), os.DirFS(l.path("logs", c.name))); err != nil {
			return fmt.Errorf("export logs of %s: %w", c.name, err)
		}
	}
	return nil
}

// Delete implements cluster.Lab.
func (l *Lab) Delete(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stopLimit, fmt.Errorf("lab %q did not end within %s", l.name, stopLimit))
	defer cancel()
	if l.alive() {
		if err := l.stop(ctx); err != nil {
			return fmt.Errorf("delete lab %q: %w", l.name, err)
		}
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("delete lab %q: %w", l.name, err)
	}
	return nil
}

// stop ends the lab and waits until it is gone.
func (l *Lab) stop(ctx context.Context) error {
	l.mu.Lock()
	process, life := l.process, l.life
	l.process, l.life = nil, nil
	l.mu.Unlock()
	if process != nil {
		// Ours: a kill of its pid 1 is the shortest way and cannot be refused.
		_ = process.Kill()
		_, _ = process.Wait()
		life.Close()
		return nil
	}
	if err := control.Call(ctx, l.socket(), control.Request{Op: control.Shutdown}, nil); err != nil {
		return err
	}
	// The lock is free when the last process that inherited it has ended;
	// a blocking flock waits for exactly that.
	freed := make(chan error, 1)
	go func() {
		f, err := os.Open(l.path("lock"))
		if err == nil {
			defer f.Close()
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		}
		freed <- err
	}()
	select {
	case err := <-freed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
