// Package cri is a container runtime for the real kubelet: a server of the
// Container Runtime Interface that runs containers as processes of its node.
//
// A pod is a set of namespaces, a container a process with a root file system
// of its own; there are no cgroups, no image pulls and no state on disk. All of
// it lives and dies with the process that runs the Server. The package must not
// know what the pods are for, nor how the node around it was made.
package cri

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/launch"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/podnet"
)

// Server is the runtime of one node.
type Server struct {
	runtimeapi.UnimplementedRuntimeServiceServer
	runtimeapi.UnimplementedImageServiceServer

	cfg      Config
	launcher *launch.Launcher
	network  *podnet.Network
	streams  *streamServer
	events   *hub
	started  time.Time

	mu         sync.Mutex
	sandboxes  map[string]*sandbox
	containers map[string]*ctr
	// hidden are images that were removed: the store itself is not changed.
	hidden map[string]bool
}

// maxMessage is the size of a gRPC message, in bytes, as kubelet has it.
const maxMessage = 16 << 20

// New checks the configuration, takes the state directory and seals the binary
// that containers start from. Nothing runs until Serve.
func New(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	network, err := podnet.New(cfg.PodCIDR)
	if err != nil {
		return nil, fmt.Errorf("container runtime: %w", err)
	}
	if err := prepareState(cfg.StateDir); err != nil {
		return nil, fmt.Errorf("container runtime: %w", err)
	}
	launcher, err := launch.New(cfg.Self, cfg.StateDir)
	if err != nil {
		return nil, fmt.Errorf("container runtime: %w", err)
	}
	s := &Server{
		cfg: cfg, launcher: launcher, network: network, events: newHub(), started: time.Now(),
		sandboxes: map[string]*sandbox{}, containers: map[string]*ctr{}, hidden: map[string]bool{},
	}
	if s.streams, err = newStreamServer(cfg.StreamAddress, s); err != nil {
		return nil, errors.Join(fmt.Errorf("container runtime: %w", err), launcher.Close())
	}
	return s, nil
}

// prepareState makes the directory a private mount: root file systems are put
// together below it, and neither they nor their removal may spread.
func prepareState(dir string) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("state directory %s: make it a mount: %w", dir, err)
	}
	if err := unix.Mount("", dir, "", unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("state directory %s: make it private: %w", dir, err)
	}
	return nil
}

// Serve answers until ctx ends, then kills every container and undoes every
// network link. It can be called once. The error is nil if ctx ended it.
func (s *Server) Serve(ctx context.Context) error {
	if err := os.Remove(s.cfg.Socket); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("container runtime: replace socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", s.cfg.Socket)
	if err != nil {
		return fmt.Errorf("container runtime: %w", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	runtimeapi.RegisterRuntimeServiceServer(server, s)
	runtimeapi.RegisterImageServiceServer(server, s)
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	go func() { ended <- s.streams.serve() }()
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-ended:
		failure = fmt.Errorf("container runtime: serve: %w", failure)
	}
	server.Stop()
	return errors.Join(failure, s.close())
}

// close ends everything that runs. New pods cannot come: gRPC has stopped.
func (s *Server) close() error {
	errs := []error{s.streams.close()}
	s.events.close()
	for _, c := range s.allContainers() {
		if p := c.process(); p != nil {
			p.Kill()
		}
	}
	for _, p := range s.allSandboxes() {
		errs = append(errs, s.stopSandbox(p))
	}
	errs = append(errs, s.launcher.Close())
	if err := unix.Unmount(s.cfg.StateDir, unix.MNT_DETACH); err != nil {
		errs = append(errs, fmt.Errorf("container runtime: release state directory: %w", err))
	}
	return errors.Join(errs...)
}
