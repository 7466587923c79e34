package cri

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ListContainers lists the containers that fit the filter, newest first.
func (s *Server) ListContainers(_ context.Context, req *runtimeapi.ListContainersRequest) (*runtimeapi.ListContainersResponse, error) {
	resp := &runtimeapi.ListContainersResponse{}
	filter := req.GetFilter()
	for _, c := range s.allContainers() {
		state := c.currentFate().state
		switch {
		case !strings.HasPrefix(c.id, filter.GetId()):
		case !strings.HasPrefix(c.pod.id, filter.GetPodSandboxId()):
		case filter.GetState() != nil && filter.GetState().GetState() != state:
		case !selects(filter.GetLabelSelector(), c.config.GetLabels()):
		default:
			resp.Containers = append(resp.Containers, c.describe(state))
		}
	}
	return resp, nil
}

func (c *ctr) describe(state runtimeapi.ContainerState) *runtimeapi.Container {
	return &runtimeapi.Container{
		Id: c.id, PodSandboxId: c.pod.id, Metadata: c.config.GetMetadata(), State: state, CreatedAt: c.created.UnixNano(),
		Image: c.config.GetImage(), ImageRef: c.image.Digest(), ImageId: c.image.ID,
		Labels: c.config.GetLabels(), Annotations: c.config.GetAnnotations(),
	}
}

// ContainerStatus describes one container.
func (s *Server) ContainerStatus(_ context.Context, req *runtimeapi.ContainerStatusRequest) (*runtimeapi.ContainerStatusResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	resp := &runtimeapi.ContainerStatusResponse{Status: c.status()}
	if req.GetVerbose() {
		info := map[string]any{"sandboxID": c.pod.id, "directory": c.dir, "args": c.spec.Process.Args}
		if p := c.process(); p != nil && p.Running() {
			info["pid"] = p.PID()
		}
		raw, err := json.Marshal(info)
		if err != nil {
			return nil, fmt.Errorf("status of container %s: %w", c.id, err)
		}
		resp.Info = map[string]string{"info": string(raw)}
	}
	return resp, nil
}

// UpdateContainerResources accepts everything: without cgroups nothing is limited.
func (s *Server) UpdateContainerResources(_ context.Context, req *runtimeapi.UpdateContainerResourcesRequest) (*runtimeapi.UpdateContainerResourcesResponse, error) {
	if _, err := s.container(req.GetContainerId()); err != nil {
		return nil, err
	}
	return &runtimeapi.UpdateContainerResourcesResponse{}, nil
}

// UpdatePodSandboxResources accepts everything, as UpdateContainerResources does.
func (s *Server) UpdatePodSandboxResources(_ context.Context, req *runtimeapi.UpdatePodSandboxResourcesRequest) (*runtimeapi.UpdatePodSandboxResourcesResponse, error) {
	if _, err := s.sandbox(req.GetPodSandboxId()); err != nil {
		return nil, err
	}
	return &runtimeapi.UpdatePodSandboxResourcesResponse{}, nil
}

// ReopenContainerLog goes on in a new log file.
func (s *Server) ReopenContainerLog(_ context.Context, req *runtimeapi.ReopenContainerLogRequest) (*runtimeapi.ReopenContainerLogResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	out, err := c.running()
	if err != nil {
		return nil, err
	}
	if err := out.reopen(); err != nil {
		return nil, err
	}
	return &runtimeapi.ReopenContainerLogResponse{}, nil
}
