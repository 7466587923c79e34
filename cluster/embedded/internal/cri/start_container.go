package cri

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/launch"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/logfile"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/namespaces"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/procstat"
)

// startTimeout ends a start that hangs, on a file system that does not answer
// for example. A start takes milliseconds.
const startTimeout = 30 * time.Second

// outputGrace is how long a dead container's output is still read, when
// something outside it holds the pipe.
const outputGrace = 2 * time.Second

// StartContainer returns when the container's command runs. One that cannot be
// run leaves an exited container with the reason in its status.
func (s *Server) StartContainer(ctx context.Context, req *runtimeapi.StartContainerRequest) (*runtimeapi.StartContainerResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	c.start.Lock()
	defer c.start.Unlock()
	c.pod.life.RLock()
	defer c.pod.life.RUnlock()
	if c.pod.stopped {
		return nil, status.Errorf(codes.FailedPrecondition, "start container %s: pod sandbox %s is not running", c.id, c.pod.id)
	}
	if state := c.currentFate().state; state != runtimeapi.ContainerState_CONTAINER_CREATED {
		return nil, status.Errorf(codes.FailedPrecondition, "start container %s: it is in state %s, not created", c.id, state)
	}
	// kubelet giving up on the call is not a reason to kill a container
	// that is about to run.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	if err := s.launch(ctx, c); err != nil {
		c.failStart(err)
		return nil, fmt.Errorf("start container %s: %w", c.config.GetMetadata().GetName(), err)
	}
	s.emit(c.pod, c.id, runtimeapi.ContainerEventType_CONTAINER_STARTED_EVENT)
	return &runtimeapi.StartContainerResponse{}, nil
}

func (c *ctr) failStart(err error) {
	c.settle(func(f *fate) {
		now := time.Now()
		f.state, f.reason, f.message = runtimeapi.ContainerState_CONTAINER_EXITED, reasonStartError, err.Error()
		f.exitCode, f.started, f.finished = startErrorCode, now, now
	})
	close(c.exited)
}

func (s *Server) launch(ctx context.Context, c *ctr) error {
	req := launch.Request{Mode: container.ModeInit, Spec: c.spec}
	release, err := s.joinNamespaces(c, &req)
	if err != nil {
		return err
	}
	defer release()
	out, err := newOutput(c.logPath)
	if err != nil {
		return err
	}
	theirs, err := c.connect(out, &req)
	defer closeAll(theirs)
	if err != nil {
		return err
	}
	proc, err := s.launcher.Start(ctx, req)
	if err != nil {
		closeAll(theirs)
		out.finish(closedChannel())
		return err
	}
	if proc.Console != nil {
		out.console = proc.Console
		out.follow(proc.Console, logfile.Stdout)
	}
	c.run(proc, out)
	go s.await(c)
	return nil
}

// joinNamespaces chooses the namespaces that the container is born into.
func (s *Server) joinNamespaces(c *ctr, req *launch.Request) (release func(), err error) {
	shared := c.namespaceOptions().GetPid() == runtimeapi.NamespaceMode_POD
	for _, h := range c.pod.ns {
		if h.Kind != namespaces.PID || shared {
			req.Join = append(req.Join, h)
		}
	}
	if c.namespaceOptions().GetPid() != runtimeapi.NamespaceMode_TARGET {
		req.NewPID = !shared
		return func() {}, nil
	}
	target, err := s.container(c.namespaceOptions().GetTargetId())
	if err != nil {
		return nil, err
	}
	h, err := target.namespace(namespaces.PID)
	if err != nil {
		return nil, err
	}
	req.Join = append(req.Join, h)
	return func() { _ = h.File.Close() }, nil
}

// connect makes the pipes of a container without terminal. The results are the
// container's ends, to be closed here once it has them.
func (c *ctr) connect(out *output, req *launch.Request) (theirs []*os.File, err error) {
	if c.config.GetTty() {
		return nil, nil
	}
	for _, stream := range []logfile.Stream{logfile.Stdout, logfile.Stderr} {
		r, w, err := launch.OutputPipe()
		if err != nil {
			return theirs, err
		}
		theirs = append(theirs, w)
		out.follow(r, stream)
		if stream == logfile.Stdout {
			req.Stdout = w
		} else {
			req.Stderr = w
		}
	}
	if c.config.GetStdin() {
		if req.Stdin, out.stdin, err = launch.InputPipe(); err != nil {
			return theirs, err
		}
		theirs = append(theirs, req.Stdin)
	}
	return theirs, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

func closedChannel() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (c *ctr) run(proc *launch.Process, out *output) {
	// A process that has ended by now has no namespace to name any more.
	mountNS, _ := procstat.MountNamespace(proc.PID())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proc, c.out, c.mountNS = proc, out, mountNS
	c.fate.state, c.fate.started, c.fate.user = runtimeapi.ContainerState_CONTAINER_RUNNING, time.Now(), proc.User
}

// await records the end of the container's process.
func (s *Server) await(c *ctr) {
	<-c.proc.Done()
	finished := time.Now()
	if c.namespaceOptions().GetPid() != runtimeapi.NamespaceMode_CONTAINER {
		// It was not the first of its PID namespace, so what it started lives on.
		procstat.KillMountNamespace(c.mountNS)
	}
	giveUp, cancel := context.WithTimeout(context.Background(), outputGrace)
	defer cancel()
	c.out.finish(giveUp.Done())
	c.settle(func(f *fate) {
		f.state, f.finished, f.exitCode = runtimeapi.ContainerState_CONTAINER_EXITED, finished, c.proc.ExitCode()
		f.reason = reasonCompleted
		if f.exitCode != 0 {
			f.reason = reasonError
		}
	})
	close(c.exited)
	s.emit(c.pod, c.id, runtimeapi.ContainerEventType_CONTAINER_STOPPED_EVENT)
}

// namespace opens a namespace of the running container.
func (c *ctr) namespace(k namespaces.Kind) (namespaces.Handle, error) {
	proc := c.process()
	if proc == nil || !proc.Running() {
		return namespaces.Handle{}, status.Errorf(codes.FailedPrecondition, "container %s is not running", c.id)
	}
	h, err := namespaces.OfProcess(proc.PID(), k)
	if err != nil {
		return h, err
	}
	if !proc.Running() { // the number may have been another process's
		return namespaces.Handle{}, errors.Join(status.Errorf(codes.FailedPrecondition, "container %s is not running", c.id), h.File.Close())
	}
	return h, nil
}

// kill ends the container at once and waits until that is recorded.
func (c *ctr) kill() {
	proc := c.process()
	if proc == nil {
		return
	}
	_ = proc.Signal(syscall.SIGKILL)
	<-c.exited
}
