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
	"io/fs"
	"net"
	"os"
	"sync"

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
	listener net.Listener
	events   *hub

	mu         sync.Mutex
	sandboxes  map[string]*sandbox
	containers map[string]*ctr
	// hidden are images that were removed: the store itself is not changed.
	hidden map[string]bool
}

// maxMessage is the size of a gRPC message, in bytes, as kubelet has it.
const maxMessage = 16 << 20

// New checks the configuration, takes the state directory, seals the binary that
// containers start from and listens on the socket: a client may connect once New
// has returned. Nothing is answered until Serve.
func New(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		cfg: cfg, events: newHub(),
		sandboxes: map[string]*sandbox{}, containers: map[string]*ctr{}, hidden: map[string]bool{},
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("container runtime: %w", errors.Join(err, s.release()))
	}
	return s, nil
}

func (s *Server) open() error {
	var err error
	if s.network, err = podnet.New(s.cfg.PodCIDR); err != nil {
		return err
	}
	if err := prepareState(s.cfg.StateDir); err != nil {
		return err
	}
	if s.launcher, err = launch.New(s.cfg.Self, s.cfg.StateDir); err != nil {
		return err
	}
	if s.streams, err = newStreamServer(s.cfg.StreamAddress, s); err != nil {
		return err
	}
	if err := os.Remove(s.cfg.Socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace socket: %w", err)
	}
	s.listener, err = net.Listen("unix", s.cfg.Socket) //nolint:noctx // a local socket opens at once
	return err
}

// release undoes open, whatever of it was done.
func (s *Server) release() error {
	var errs []error
	if s.listener != nil {
		errs = append(errs, closed(s.listener.Close()))
	}
	if s.streams != nil {
		errs = append(errs, s.streams.close())
	}
	if s.launcher != nil {
		errs = append(errs, s.launcher.Close())
	}
	if err := unix.Unmount(s.cfg.StateDir, unix.MNT_DETACH); err != nil && s.launcher != nil {
		errs = append(errs, fmt.Errorf("release state directory: %w", err))
	}
	return errors.Join(errs...)
}

// closed forgives closing twice.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
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
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	runtimeapi.RegisterRuntimeServiceServer(server, s)
	runtimeapi.RegisterImageServiceServer(server, s)
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(s.listener) }()
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
	s.events.close()
	for _, c := range s.allContainers() {
		if p := c.process(); p != nil {
			p.Kill()
		}
	}
	var errs []error
	for _, p := range s.allSandboxes() {
		errs = append(errs, s.stopSandbox(p))
	}
	if err := errors.Join(append(errs, s.release())...); err != nil {
		return fmt.Errorf("container runtime: end: %w", err)
	}
	return nil
}
