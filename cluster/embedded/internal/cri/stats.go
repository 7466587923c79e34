package cri

import (
	"context"
	"strings"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/procstat"
)

// ContainerStats is what one container uses.
func (s *Server) ContainerStats(_ context.Context, req *runtimeapi.ContainerStatsRequest) (*runtimeapi.ContainerStatsResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	usage, err := procstat.ByMountNamespace()
	if err != nil {
		return nil, err
	}
	return &runtimeapi.ContainerStatsResponse{Stats: c.stats(usage)}, nil
}

// ListContainerStats is what the running containers that fit the filter use.
func (s *Server) ListContainerStats(_ context.Context, req *runtimeapi.ListContainerStatsRequest) (*runtimeapi.ListContainerStatsResponse, error) {
	usage, err := procstat.ByMountNamespace()
	if err != nil {
		return nil, err
	}
	filter := req.GetFilter()
	resp := &runtimeapi.ListContainerStatsResponse{}
	for _, c := range s.allContainers() {
		switch {
		case !c.isRunning():
		case !strings.HasPrefix(c.id, filter.GetId()):
		case !strings.HasPrefix(c.pod.id, filter.GetPodSandboxId()):
		case !selects(filter.GetLabelSelector(), c.config.GetLabels()):
		default:
			resp.Stats = append(resp.Stats, c.stats(usage))
		}
	}
	return resp, nil
}

// PodSandboxStats is what one pod's running containers use.
func (s *Server) PodSandboxStats(_ context.Context, req *runtimeapi.PodSandboxStatsRequest) (*runtimeapi.PodSandboxStatsResponse, error) {
	p, err := s.sandbox(req.GetPodSandboxId())
	if err != nil {
		return nil, err
	}
	usage, err := procstat.ByMountNamespace()
	if err != nil {
		return nil, err
	}
	return &runtimeapi.PodSandboxStatsResponse{Stats: s.podStats(p, usage)}, nil
}

// ListPodSandboxStats is what the running pods that fit the filter use.
func (s *Server) ListPodSandboxStats(_ context.Context, req *runtimeapi.ListPodSandboxStatsRequest) (*runtimeapi.ListPodSandboxStatsResponse, error) {
	usage, err := procstat.ByMountNamespace()
	if err != nil {
		return nil, err
	}
	filter := req.GetFilter()
	resp := &runtimeapi.ListPodSandboxStatsResponse{}
	for _, p := range s.allSandboxes() {
		switch item := s.describeSandbox(p); {
		case item.State != runtimeapi.PodSandboxState_SANDBOX_READY:
		case !strings.HasPrefix(p.id, filter.GetId()):
		case !selects(filter.GetLabelSelector(), item.Labels):
		default:
			resp.Stats = append(resp.Stats, s.podStats(p, usage))
		}
	}
	return resp, nil
}

func (c *ctr) isRunning() bool {
	return c.currentFate().state == runtimeapi.ContainerState_CONTAINER_RUNNING
}

func (c *ctr) stats(usage map[string]procstat.Usage) *runtimeapi.ContainerStats {
	now := time.Now().UnixNano()
	c.mu.Lock()
	used := usage[c.mountNS]
	c.usedCPU = max(c.usedCPU, uint64(used.CPU))
	cpu := c.usedCPU
	c.mu.Unlock()
	return &runtimeapi.ContainerStats{
		Attributes: &runtimeapi.ContainerAttributes{
			Id: c.id, Metadata: c.config.GetMetadata(), Labels: c.config.GetLabels(), Annotations: c.config.GetAnnotations(),
		},
		Cpu:    cpuUsage(now, cpu),
		Memory: memoryUsage(now, used.Memory),
		WritableLayer: &runtimeapi.FilesystemUsage{
			Timestamp: now, FsId: &runtimeapi.FilesystemIdentifier{Mountpoint: c.dir},
			UsedBytes: &runtimeapi.UInt64Value{}, InodesUsed: &runtimeapi.UInt64Value{},
		},
	}
}

func (s *Server) podStats(p *sandbox, usage map[string]procstat.Usage) *runtimeapi.PodSandboxStats {
	now := time.Now().UnixNano()
	linux := &runtimeapi.LinuxPodSandboxStats{}
	var cpu, memory, processes uint64
	for _, c := range s.containersOf(p) {
		if !c.isRunning() {
			continue
		}
		stats := c.stats(usage)
		linux.Containers = append(linux.Containers, stats)
		cpu += stats.GetCpu().GetUsageCoreNanoSeconds().GetValue()
		memory += stats.GetMemory().GetRssBytes().GetValue()
		c.mu.Lock()
		processes += usage[c.mountNS].Processes
		c.mu.Unlock()
	}
	linux.Cpu, linux.Memory = cpuUsage(now, cpu), memoryUsage(now, memory)
	linux.Process = &runtimeapi.ProcessUsage{Timestamp: now, ProcessCount: &runtimeapi.UInt64Value{Value: processes}}
	return &runtimeapi.PodSandboxStats{
		Attributes: &runtimeapi.PodSandboxAttributes{
			Id: p.id, Metadata: p.config.GetMetadata(), Labels: p.config.GetLabels(), Annotations: p.config.GetAnnotations(),
		},
		Linux: linux,
	}
}

func cpuUsage(at int64, nanoseconds uint64) *runtimeapi.CpuUsage {
	return &runtimeapi.CpuUsage{Timestamp: at, UsageCoreNanoSeconds: &runtimeapi.UInt64Value{Value: nanoseconds}}
}

func memoryUsage(at int64, bytes uint64) *runtimeapi.MemoryUsage {
	v := &runtimeapi.UInt64Value{Value: bytes}
	return &runtimeapi.MemoryUsage{Timestamp: at, WorkingSetBytes: v, UsageBytes: v, RssBytes: v}
}

// ListMetricDescriptors has nothing to describe.
func (s *Server) ListMetricDescriptors(context.Context, *runtimeapi.ListMetricDescriptorsRequest) (*runtimeapi.ListMetricDescriptorsResponse, error) {
	return &runtimeapi.ListMetricDescriptorsResponse{}, nil
}

// ListPodSandboxMetrics is empty, as ListMetricDescriptors is.
func (s *Server) ListPodSandboxMetrics(context.Context, *runtimeapi.ListPodSandboxMetricsRequest) (*runtimeapi.ListPodSandboxMetricsResponse, error) {
	return &runtimeapi.ListPodSandboxMetricsResponse{}, nil
}
