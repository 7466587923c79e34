// Package node is one cluster of the lab: the program that, alone in its own
// namespaces, runs a real Kubernetes control plane and a real kubelet over the
// lab's process runtime.
//
// It must know nothing of Istio or of federation, and nothing of the other
// clusters but the address plan.
package node

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
	"github.com/meshfed/meshfed/cluster/internal/addr"
)

// Config is what the lab tells a node. It holds no secrets.
type Config struct {
	// Name is the cluster's name, and its node's.
	Name string
	// Index is the cluster's number in the lab's address plan, from 0.
	Index int
	// Tools are the paths of the programs, by their usual names
	// ("kube-apiserver").
	Tools map[string]string
	// Images is the folder of image directories.
	Images string
	// LogDir takes a log file a program; it must exist.
	LogDir string
	// Kubeconfig is where the administrator's kubeconfig is written, mode
	// 0600, with Server as the API's URL.
	Kubeconfig string
	// Server is the API's URL as seen by who reads Kubeconfig.
	Server string
	// Self is the argv that makes this binary a container's first process.
	Self []string
}

// startLimit bounds a start that hangs; a crash is told at once.
const startLimit = 90 * time.Second

// Main runs the node until SIGTERM or the end of one of its programs; see keep for
// those that may end. Events go to sender; the error is also its last event.
func Main(cfg Config, sender *event.Sender) error {
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer cancel()
	err := run(ctx, cfg, sender)
	if err != nil {
		sender.Send(event.Failed, "%v", err)
	}
	return err
}

func run(ctx context.Context, cfg Config, sender *event.Sender) error {
	plan, err := addr.PlanOf(cfg.Index)
	if err != nil {
		return err
	}
	n := &node{Config: cfg, plan: plan, sender: sender, dirs: newDirs()}
	if err := n.prepare(); err != nil {
		return fmt.Errorf("cluster %s: %w", cfg.Name, err)
	}
	return n.live(ctx, n.start)
}

// live starts the programs and returns at the end of the first that is not
// started again, or of ctx, which is an order and no failure of the cluster.
func (n *node) live(ctx context.Context, startAll func(life, begin context.Context) error) error {
	g, life := errgroup.WithContext(ctx)
	n.group = g
	begin, cancel := context.WithTimeoutCause(life, startLimit, fmt.Errorf("it did not start within %s", startLimit))
	g.Go(func() error {
		defer cancel()
		return startAll(life, begin)
	})
	// The group has ended life by now, whatever was the reason.
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("cluster %s: %w", n.Name, err)
	} else if err != nil {
		return err
	}
	return nil
}

// node is the running state. All of it but ready is set before the programs start.
type node struct {
	Config
	plan   addr.Plan
	sender *event.Sender
	dirs   dirs
	// group ends when the first of the node's programs does that is not started
	// again.
	group *errgroup.Group
	// ready says that the node has been Ready once.
	ready atomic.Bool
}

// dirs are the node's private folders; all lie on file systems that exist in
// its mount namespace only.
type dirs struct {
	state, pki, etcd, cri string
}

// stateDir is the folder of them all.
const stateDir = "/run/meshfed"

func newDirs() dirs {
	return dirs{state: stateDir, pki: filepath.Join(stateDir, "pki"), etcd: EtcdDisk, cri: filepath.Join(stateDir, "cri")}
}

func (n *node) prepare() error {
	if err := unix.Sethostname([]byte(n.Name)); err != nil {
		return fmt.Errorf("host name: %w", err)
	}
	if err := mountPrivate(); err != nil {
		return err
	}
	if err := mountEtcdDisk(); err != nil {
		return err
	}
	for _, d := range []string{n.dirs.pki, n.dirs.cri} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("state folder: %w", err)
		}
	}
	if err := configureNetwork(n.plan); err != nil {
		return err
	}
	if err := n.fence(); err != nil {
		return err
	}
	return n.issuePKI()
}

// start brings the programs up in the order in which each is useful; life
// bounds the programs, begin the wait for them.
func (n *node) start(life, begin context.Context) error {
	if err := n.startControlPlane(life, begin); err != nil {
		return err
	}
	if err := n.startNode(life, begin); err != nil {
		return err
	}
	n.ready.Store(true)
	n.sender.Send(event.Ready, "node %s is Ready", n.Name)
	return nil
}

func (n *node) logger(name string) (*slog.Logger, error) {
	f, err := os.OpenFile(filepath.Join(n.LogDir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	return slog.New(slog.NewTextHandler(f, nil)), nil
}
