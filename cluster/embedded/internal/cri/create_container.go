package cri

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CreateContainer checks what is asked for and makes the container's writable
// layer. Nothing runs yet.
func (s *Server) CreateContainer(_ context.Context, req *runtimeapi.CreateContainerRequest) (*runtimeapi.CreateContainerResponse, error) {
	p, err := s.sandbox(req.GetPodSandboxId())
	if err != nil {
		return nil, err
	}
	config := req.GetConfig()
	if config.GetMetadata() == nil {
		return nil, status.Error(codes.InvalidArgument, "create container: its configuration has no metadata")
	}
	img, err := s.resolve(config.GetImage().GetImage())
	if err != nil {
		return nil, fmt.Errorf("create container %s: %w", config.GetMetadata().GetName(), err)
	}
	id := newID()
	c := &ctr{
		id: id, pod: p, config: config, image: img, dir: filepath.Join(s.cfg.StateDir, "containers", id),
		created: time.Now(), exited: make(chan struct{}),
	}
	c.fate.state = runtimeapi.ContainerState_CONTAINER_CREATED
	if logs := p.config.GetLogDirectory(); logs != "" && config.GetLogPath() != "" {
		c.logPath = filepath.Join(logs, config.GetLogPath())
	}
	if err := c.prepare(s); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "create container %s: %v", config.GetMetadata().GetName(), err)
	}
	if err := s.register(c); err != nil {
		return nil, err
	}
	s.emit(p, id, runtimeapi.ContainerEventType_CONTAINER_CREATED_EVENT)
	return &runtimeapi.CreateContainerResponse{ContainerId: id}, nil
}

func (c *ctr) prepare(s *Server) error {
	var err error
	if c.spec.Process, err = processSpec(c.config, c.image, c.pod); err != nil {
		return err
	}
	if c.spec.Root, err = c.rootSpec(s.resolve); err != nil {
		return err
	}
	return s.checkPID(c)
}

// register makes the container's directories and lets it be seen, unless its
// pod has stopped meanwhile.
func (s *Server) register(c *ctr) error {
	c.pod.life.RLock()
	defer c.pod.life.RUnlock()
	if c.pod.stopped {
		return status.Errorf(codes.FailedPrecondition, "create container: pod sandbox %s is not running", c.pod.id)
	}
	for _, dir := range []string{c.spec.Root.Upper, c.spec.Root.Work, c.spec.Root.Target} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create container: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.containers[c.id] = c
	return nil
}

// checkPID refuses what could not be had when the container starts.
func (s *Server) checkPID(c *ctr) error {
	switch opts := c.namespaceOptions(); opts.GetPid() {
	case runtimeapi.NamespaceMode_CONTAINER:
		return nil
	case runtimeapi.NamespaceMode_POD:
		if c.pod.namespaceOptions().GetPid() != runtimeapi.NamespaceMode_POD {
			return errors.New("PID namespace of the pod: its containers do not share one")
		}
		return nil
	case runtimeapi.NamespaceMode_TARGET:
		_, err := s.container(opts.GetTargetId())
		return err
	default:
		return fmt.Errorf("PID namespace mode %s: containers may not see this node's processes", opts.GetPid())
	}
}
