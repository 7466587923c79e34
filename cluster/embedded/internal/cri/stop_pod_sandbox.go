package cri

import (
	"context"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// StopPodSandbox kills the pod's containers and frees its network. It is
// idempotent, and a pod that is gone counts as stopped.
func (s *Server) StopPodSandbox(_ context.Context, req *runtimeapi.StopPodSandboxRequest) (*runtimeapi.StopPodSandboxResponse, error) {
	p, err := s.sandbox(req.GetPodSandboxId())
	if status.Code(err) == codes.NotFound {
		return &runtimeapi.StopPodSandboxResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.stopSandbox(p); err != nil {
		return nil, fmt.Errorf("stop pod sandbox %s: %w", p.id, err)
	}
	return &runtimeapi.StopPodSandboxResponse{}, nil
}

func (s *Server) stopSandbox(p *sandbox) error {
	p.life.Lock()
	defer p.life.Unlock()
	for _, c := range s.containersOf(p) {
		c.kill()
	}
	if p.stopped {
		return nil
	}
	s.mu.Lock()
	p.stopped = true
	s.mu.Unlock()
	err := s.dismantle(p)
	s.emit(p, p.id, runtimeapi.ContainerEventType_CONTAINER_STOPPED_EVENT)
	return err
}

// RemovePodSandbox forgets the pod and its containers, killing what still runs.
func (s *Server) RemovePodSandbox(_ context.Context, req *runtimeapi.RemovePodSandboxRequest) (*runtimeapi.RemovePodSandboxResponse, error) {
	p, err := s.sandbox(req.GetPodSandboxId())
	if status.Code(err) == codes.NotFound {
		return &runtimeapi.RemovePodSandboxResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	errs := []error{s.stopSandbox(p)}
	for _, c := range s.containersOf(p) {
		errs = append(errs, s.removeContainer(c))
	}
	s.mu.Lock()
	delete(s.sandboxes, p.id)
	s.mu.Unlock()
	if err := errors.Join(append(errs, os.RemoveAll(p.dir))...); err != nil {
		return nil, fmt.Errorf("remove pod sandbox %s: %w", p.id, err)
	}
	s.emit(p, p.id, runtimeapi.ContainerEventType_CONTAINER_DELETED_EVENT)
	return &runtimeapi.RemovePodSandboxResponse{}, nil
}
