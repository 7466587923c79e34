package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
	"github.com/meshfed/meshfed/cluster/embedded/internal/lab"
	nodeproc "github.com/meshfed/meshfed/cluster/embedded/internal/node"
	"github.com/meshfed/meshfed/cluster/internal/addr"
	"github.com/meshfed/meshfed/cluster/internal/furnish"
	"github.com/meshfed/meshfed/cluster/internal/nsproc"
	"github.com/meshfed/meshfed/cluster/internal/proc"
	"github.com/meshfed/meshfed/cluster/internal/progress"
	"github.com/meshfed/meshfed/cluster/istio"
)

// bringUp is about how long a lab takes, for the progress line.
const bringUp = 20 * time.Second

// create makes the lab's processes and installs what every cluster has. If it
// fails, nothing is left but the error.
func (l *Lab) create(ctx context.Context, t cluster.Topology, parts parts) (err error) {
	task := l.provider.report.Begin(progress.Step{
		Title: fmt.Sprintf("bringing up lab %s (%d meshes)", l.name, len(t.Clusters)), Estimate: bringUp,
	})
	defer func() { task.End(err) }()
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	lock, err := l.lock()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("it is up already: use it with --lab %s, remove it with `conformance lab down --lab %s`, or choose another name", l.name, l.name)
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer lock.Close()
	if err := l.clean(); err != nil {
		return err
	}
	events, err := l.start(t, parts, lock)
	if err == nil {
		err = l.follow(ctx, events, func(ctx context.Context, name string) error { return l.install(ctx, name, parts) })
	}
	if err == nil {
		err = l.writeRecord()
	}
	if err != nil {
		// The lab's own clean-up must not depend on a context that ended.
		return errors.Join(err, l.Delete(context.WithoutCancel(ctx)))
	}
	return nil
}

// clean removes what an earlier lab of the name left in its state folder.
func (l *Lab) clean() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "lock" {
			continue
		}
		if err := os.RemoveAll(l.path(e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// start starts the lab's process and returns its events.
func (l *Lab) start(t cluster.Topology, parts parts, lock *os.File) (*os.File, error) {
	if err := os.Symlink(parts.images, l.imagesLink()); err != nil {
		return nil, err
	}
	l.record = record{ToolsDir: parts.toolsDir}
	cfg := lab.Config{Socket: l.socket()}
	eventsR, eventsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer eventsW.Close()
	lifeR, lifeW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer lifeR.Close()
	files := []*os.File{eventsW, lifeR, lock}
	for i, spec := range t.Clusters {
		listener, address, err := apiListener()
		if err != nil {
			return nil, fmt.Errorf("API port of %s: %w", spec.Name, err)
		}
		defer listener.Close()
		files = append(files, listener)
		if err := os.MkdirAll(l.path("logs", spec.Name), 0o700); err != nil {
			return nil, err
		}
		l.record.Clusters = append(l.record.Clusters, clusterRecord{Name: spec.Name, API: address})
		cfg.Nodes = append(cfg.Nodes, nodeproc.Config{
			Name: spec.Name, Index: i, Tools: parts.tools, Images: parts.images,
			LogDir: l.path("logs", spec.Name), Kubeconfig: l.path(spec.Name + ".kubeconfig"), Server: "https://" + address,
		})
	}
	l.setClusters()
	if err := l.spawn(cfg, files); err != nil {
		lifeW.Close()
		return nil, err
	}
	l.life = lifeW
	return eventsR, nil
}

func (l *Lab) imagesLink() string { return l.path("images") }

func (l *Lab) spawn(cfg lab.Config, files []*os.File) error {
	log, err := os.OpenFile(l.path("logs", "lab.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := nsproc.Command("/proc/self/exe", labArg)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, files
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the lab's process in namespaces of its own: %w (root is needed)", err)
	}
	l.process, l.record.PID = cmd.Process, cmd.Process.Pid
	return json.NewEncoder(stdin).Encode(cfg)
}

// apiListener is a host port for a cluster's API, as a file to hand over.
func apiListener() (*os.File, string, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, "", err
	}
	defer listener.Close()
	f, err := listener.File()
	return f, listener.Addr().String(), err
}

// lastWords is how long an install that failed waits for the lab to fail: a node
// that dies takes its API with it, and the lab's word is the cause.
const lastWords = time.Second

// follow reads the lab's events and installs each mesh as soon as its API
// serves. It returns when all are Ready and installed, or at the first
// failure, with its words. A program may die between Ready and the install's
// end, which then never comes: events are read until there is nothing to wait
// for.
func (l *Lab) follow(ctx context.Context, events *os.File, install func(context.Context, string) error) error {
	g, life := errgroup.WithContext(ctx)
	stop := context.AfterFunc(life, func() { events.Close() })
	defer stop()
	// waiting counts for each cluster its Ready and its install.
	var waiting atomic.Int32
	waiting.Store(2 * int32(len(l.clusters)))
	done := func() {
		if waiting.Add(-1) == 0 {
			events.Close() // ends Read; nobody needs the events that follow
		}
	}
	g.Go(func() error {
		var failure error
		err := event.Read(events, func(e event.Event) {
			switch e.Kind {
			case event.Failed:
				failure = errors.New(e.Text)
				events.Close()
			case event.Ready:
				done()
			case event.Step:
				if e.Text == nodeproc.APIReady {
					g.Go(func() error { return installed(life, e.Cluster, install, done) })
				}
			}
		})
		switch {
		case failure != nil:
			return failure
		case waiting.Load() == 0:
			return nil
		case life.Err() != nil:
			return context.Cause(life)
		case err != nil:
			return err
		}
		return fmt.Errorf("the lab's process ended; its last lines:\n%s", proc.Tail(l.path("logs", "lab.log"), 12))
	})
	return g.Wait()
}

func installed(ctx context.Context, name string, install func(context.Context, string) error, done func()) error {
	err := install(ctx, name)
	if err == nil {
		done()
		return nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(lastWords):
	}
	return err
}

// install puts into a cluster what every one of the lab has.
func (l *Lab) install(ctx context.Context, name string, parts parts) error {
	c, err := l.member(name)
	if err != nil {
		return err
	}
	cfg, err := cluster.RESTConfig(c)
	if err != nil {
		return err
	}
	plan, err := addr.PlanOf(c.index)
	if err != nil {
		return err
	}
	err = furnish.Cluster(ctx, cfg, furnish.Options{
		DNS:   plan.DNS,
		Istio: istio.Options{Istioctl: parts.tools["istioctl"], CacheDir: l.provider.cacheDir},
	})
	if err != nil {
		return fmt.Errorf("cluster %s: %w", name, err)
	}
	return nil
}
