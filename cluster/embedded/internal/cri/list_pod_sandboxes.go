package cri

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ListPodSandbox lists the pods that fit the filter, newest first.
func (s *Server) ListPodSandbox(_ context.Context, req *runtimeapi.ListPodSandboxRequest) (*runtimeapi.ListPodSandboxResponse, error) {
	resp := &runtimeapi.ListPodSandboxResponse{}
	filter := req.GetFilter()
	for _, p := range s.allSandboxes() {
		item := s.describeSandbox(p)
		switch {
		case !strings.HasPrefix(item.Id, filter.GetId()):
		case filter.GetState() != nil && filter.GetState().GetState() != item.State:
		case !selects(filter.GetLabelSelector(), item.Labels):
		default:
			resp.Items = append(resp.Items, item)
		}
	}
	return resp, nil
}

// selects says whether labels have every pair of the selector; an empty selector
// fits all, which here is the interface's rule.
func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func (s *Server) describeSandbox(p *sandbox) *runtimeapi.PodSandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &runtimeapi.PodSandbox{
		Id: p.id, Metadata: p.config.GetMetadata(), State: p.state(), CreatedAt: p.created.UnixNano(),
		Labels: p.config.GetLabels(), Annotations: p.config.GetAnnotations(),
	}
}

// PodSandboxStatus describes one pod, with its address.
func (s *Server) PodSandboxStatus(_ context.Context, req *runtimeapi.PodSandboxStatusRequest) (*runtimeapi.PodSandboxStatusResponse, error) {
	p, err := s.sandbox(req.GetPodSandboxId())
	if err != nil {
		return nil, err
	}
	resp := &runtimeapi.PodSandboxStatusResponse{Status: s.sandboxStatus(p), Timestamp: time.Now().UnixNano()}
	for _, c := range s.containersOf(p) {
		resp.ContainersStatuses = append(resp.ContainersStatuses, c.status())
	}
	if req.GetVerbose() {
		info, err := json.Marshal(map[string]any{"address": resp.Status.Network.Ip, "directory": p.dir})
		if err != nil {
			return nil, err
		}
		resp.Info = map[string]string{"info": string(info)}
	}
	return resp, nil
}

func (s *Server) sandboxStatus(p *sandbox) *runtimeapi.PodSandboxStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	network := &runtimeapi.PodSandboxNetworkStatus{}
	// A stopped pod's address may belong to another one by now.
	if !p.stopped && p.addr.IsValid() {
		network.Ip = p.addr.String()
	}
	return &runtimeapi.PodSandboxStatus{
		Id: p.id, Metadata: p.config.GetMetadata(), State: p.state(), CreatedAt: p.created.UnixNano(),
		Network: network, Labels: p.config.GetLabels(), Annotations: p.config.GetAnnotations(),
		Linux: &runtimeapi.LinuxPodSandboxStatus{Namespaces: &runtimeapi.Namespace{Options: p.namespaceOptions()}},
	}
}
