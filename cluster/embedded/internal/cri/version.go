package cri

import (
	"context"
	"encoding/json"
	"fmt"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	runtimeName    = "meshfed"
	runtimeVersion = "0.1.0"
	apiVersion     = "v1"
)

// Version names the runtime.
func (s *Server) Version(context.Context, *runtimeapi.VersionRequest) (*runtimeapi.VersionResponse, error) {
	return &runtimeapi.VersionResponse{
		Version: "0.1.0", RuntimeName: runtimeName, RuntimeVersion: runtimeVersion, RuntimeApiVersion: apiVersion,
	}, nil
}

// Status is always ready: a Server that answers has all it needs.
func (s *Server) Status(_ context.Context, req *runtimeapi.StatusRequest) (*runtimeapi.StatusResponse, error) {
	resp := &runtimeapi.StatusResponse{
		Status: &runtimeapi.RuntimeStatus{Conditions: []*runtimeapi.RuntimeCondition{
			{Type: runtimeapi.RuntimeReady, Status: true},
			{Type: runtimeapi.NetworkReady, Status: true},
		}},
		RuntimeHandlers: []*runtimeapi.RuntimeHandler{{
			Features: &runtimeapi.RuntimeHandlerFeatures{RecursiveReadOnlyMounts: true},
		}},
		Features: &runtimeapi.RuntimeFeatures{SupplementalGroupsPolicy: true},
	}
	if req.GetVerbose() {
		raw, err := json.Marshal(map[string]any{"podCIDR": s.cfg.PodCIDR.String(), "stateDir": s.cfg.StateDir})
		if err != nil {
			return nil, fmt.Errorf("runtime status: %w", err)
		}
		resp.Info = map[string]string{"config": string(raw)}
	}
	return resp, nil
}

// RuntimeConfig tells kubelet which cgroup driver to assume. There are none.
func (s *Server) RuntimeConfig(context.Context, *runtimeapi.RuntimeConfigRequest) (*runtimeapi.RuntimeConfigResponse, error) {
	return &runtimeapi.RuntimeConfigResponse{
		Linux: &runtimeapi.LinuxRuntimeConfiguration{CgroupDriver: runtimeapi.CgroupDriver_CGROUPFS},
	}, nil
}

// UpdateRuntimeConfig takes note of the pod network that the cluster has chosen
// for the node. The node's own word counts: a difference is a fault of the lab.
func (s *Server) UpdateRuntimeConfig(ctx context.Context, req *runtimeapi.UpdateRuntimeConfigRequest) (*runtimeapi.UpdateRuntimeConfigResponse, error) {
	cidr := req.GetRuntimeConfig().GetNetworkConfig().GetPodCidr()
	if cidr != "" && cidr != s.cfg.PodCIDR.String() {
		s.cfg.Logger.WarnContext(ctx, "the cluster wants another pod network than the node has", "cluster", cidr, "node", s.cfg.PodCIDR.String())
	}
	return &runtimeapi.UpdateRuntimeConfigResponse{}, nil
}
