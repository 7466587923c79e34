package cri

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/launch"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/namespaces"
)

// RunPodSandbox makes a pod: its namespaces, network link and files.
func (s *Server) RunPodSandbox(ctx context.Context, req *runtimeapi.RunPodSandboxRequest) (*runtimeapi.RunPodSandboxResponse, error) {
	if err := s.checkSandbox(req); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	id := newID()
	p := &sandbox{id: id, config: req.GetConfig(), dir: filepath.Join(s.cfg.StateDir, "pods", id), created: time.Now()}
	p.hostNetwork = p.namespaceOptions().GetNetwork() == runtimeapi.NamespaceMode_NODE
	if err := s.build(ctx, p); err != nil {
		err = fmt.Errorf("run pod %s/%s: %w", p.config.GetMetadata().GetNamespace(), p.config.GetMetadata().GetName(), err)
		return nil, errors.Join(err, s.dismantle(p), os.RemoveAll(p.dir))
	}
	s.mu.Lock()
	s.sandboxes[id] = p
	s.mu.Unlock()
	s.emit(p, id, runtimeapi.ContainerEventType_CONTAINER_STARTED_EVENT)
	return &runtimeapi.RunPodSandboxResponse{PodSandboxId: id}, nil
}

// checkSandbox refuses what this runtime has not got, before anything is made.
func (s *Server) checkSandbox(req *runtimeapi.RunPodSandboxRequest) error {
	config := req.GetConfig()
	ns := config.GetLinux().GetSecurityContext().GetNamespaceOptions()
	switch {
	case config.GetMetadata() == nil:
		return errors.New("run pod: its configuration has no metadata")
	case req.GetRuntimeHandler() != "":
		return fmt.Errorf("run pod: runtime handler %q: there is only the default one", req.GetRuntimeHandler())
	case ns.GetNetwork() == runtimeapi.NamespaceMode_NODE && !s.cfg.AllowHostNetwork:
		return errors.New("run pod: hostNetwork: pods may not use this node's network")
	case ns.GetPid() == runtimeapi.NamespaceMode_NODE:
		return errors.New("run pod: hostPID: pods may not see this node's processes")
	case ns.GetIpc() == runtimeapi.NamespaceMode_NODE:
		return errors.New("run pod: hostIPC: pods may not use this node's IPC")
	case ns.GetUsernsOptions().GetMode() == runtimeapi.NamespaceMode_POD && ns.GetUsernsOptions() != nil:
		return errors.New("run pod: hostUsers=false: user namespaces are not supported")
	}
	for _, m := range config.GetPortMappings() {
		if m.GetHostPort() != 0 {
			return fmt.Errorf("run pod: hostPort %d: ports of the node are not mapped; use a Service", m.GetHostPort())
		}
	}
	for _, v := range sysctlsOf(config) {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("run pod: %w", err)
		}
		if ns.GetNetwork() == runtimeapi.NamespaceMode_NODE && v.OfNetwork() {
			return fmt.Errorf("run pod: sysctl %s: with hostNetwork it would be the node's", v.Name)
		}
	}
	return nil
}

func sysctlsOf(config *runtimeapi.PodSandboxConfig) []namespaces.Sysctl {
	var all []namespaces.Sysctl
	for name, value := range config.GetLinux().GetSysctls() {
		all = append(all, namespaces.Sysctl{Name: name, Value: value})
	}
	return all
}

func (s *Server) build(ctx context.Context, p *sandbox) error {
	if err := p.writeFiles(); err != nil {
		return err
	}
	if err := p.makeNamespaces(); err != nil {
		return err
	}
	if !p.hostNetwork {
		addr, err := s.network.Attach(p.id, p.ns)
		if err != nil {
			return err
		}
		p.addr = addr
	}
	// Only now is the address known.
	if err := p.writeHosts(); err != nil {
		return err
	}
	if p.namespaceOptions().GetPid() == runtimeapi.NamespaceMode_POD {
		return s.startPause(ctx, p)
	}
	return nil
}

func (p *sandbox) makeNamespaces() error {
	kinds := []namespaces.Kind{namespaces.IPC}
	if !p.hostNetwork {
		kinds = append(kinds, namespaces.Net, namespaces.UTS)
	}
	ns, err := namespaces.New(func() error { return p.configureNamespaces() }, kinds...)
	p.ns = ns
	return err
}

func (p *sandbox) configureNamespaces() error {
	if !p.hostNetwork {
		if err := unix.Sethostname([]byte(p.hostName())); err != nil {
			return fmt.Errorf("set host name %q: %w", p.hostName(), err)
		}
		for _, v := range podDefaults() {
			if err := v.ApplyIfKnown(); err != nil {
				return err
			}
		}
	}
	for _, v := range sysctlsOf(p.config) {
		if err := v.Apply(); err != nil {
			return err
		}
	}
	return nil
}

// podDefaults let unprivileged users bind low ports and ping, as containerd
// does, and keep IPv6 off the links to come: pods have no address of that family
// but a loopback one.
func podDefaults() []namespaces.Sysctl {
	return []namespaces.Sysctl{
		{Name: "net.ipv4.ip_unprivileged_port_start", Value: "0"},
		{Name: "net.ipv4.ping_group_range", Value: "0 2147483647"},
		{Name: "net.ipv6.conf.default.disable_ipv6", Value: "1"},
	}
}

// startPause begins the PID namespace that the pod's containers share.
func (s *Server) startPause(ctx context.Context, p *sandbox) error {
	pause, err := s.launcher.Start(ctx, launch.Request{Mode: container.ModePause, Join: p.ns, NewPID: true})
	if err != nil {
		return err
	}
	p.pause = pause
	ns, err := namespaces.OfProcess(pause.PID(), namespaces.PID)
	if err != nil {
		return err
	}
	p.ns = append(p.ns, ns)
	return nil
}

// dismantle undoes build, whatever of it was done. The files stay.
func (s *Server) dismantle(p *sandbox) error {
	var errs []error
	if p.pause != nil {
		p.pause.Kill()
		<-p.pause.Done()
	}
	if p.addr.IsValid() {
		errs = append(errs, s.network.Detach(p.id, p.addr))
	}
	errs = append(errs, p.ns.Close())
	p.ns = nil
	if err := unix.Unmount(p.file(sharedMemory), unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		errs = append(errs, fmt.Errorf("release shared memory: %w", err))
	}
	return errors.Join(errs...)
}
