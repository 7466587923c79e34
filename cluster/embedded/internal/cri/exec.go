package cri

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/launch"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/namespaces"
)

// maxExecOutput is how much of each stream ExecSync returns, in bytes, as in
// containerd: the rest would not fit into one gRPC message.
const maxExecOutput = 16 << 20

// stdio are the ends of an executed command's streams. A nil one is not connected.
type stdio struct {
	in       io.Reader
	out, err io.Writer
	tty      bool
	resize   <-chan remotecommand.TerminalSize
}

// ExecSync runs a command in a container and returns its output. When
// req.Timeout (in seconds, 0 for none) is over, the command is killed and the
// error is DeadlineExceeded, which kubelet takes for a failed probe.
func (s *Server) ExecSync(ctx context.Context, req *runtimeapi.ExecSyncRequest) (*runtimeapi.ExecSyncResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	if req.GetTimeout() > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(req.GetTimeout())*time.Second)
		defer cancel()
	}
	var out, errs limitedBuffer
	code, err := s.exec(ctx, c, req.GetCmd(), stdio{out: &out, err: &errs})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, status.Errorf(codes.DeadlineExceeded, "exec %q in container %s: timeout %ds exceeded", req.GetCmd(), c.id, req.GetTimeout())
	}
	if err != nil {
		return nil, err
	}
	return &runtimeapi.ExecSyncResponse{Stdout: out.Bytes(), Stderr: errs.Bytes(), ExitCode: int32(code)}, nil
}

// limitedBuffer keeps the beginning of what is written to it.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := maxExecOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// execStream is Exec of the streaming server's runtime.
func (s *Server) execStream(ctx context.Context, id string, cmd []string, io stdio) error {
	c, err := s.container(id)
	if err != nil {
		return err
	}
	code, err := s.exec(ctx, c, cmd, io)
	if err != nil || code == 0 {
		return err
	}
	return utilexec.CodeExitError{Err: fmt.Errorf("command %q ended with exit code %d", cmd, code), Code: code}
}

// exec runs a command with the container's namespaces, files, user and
// environment, and returns its exit code when its output has ended, too.
func (s *Server) exec(ctx context.Context, c *ctr, args []string, std stdio) (int, error) {
	pipes, req, err := connectExec(std)
	defer pipes.close()
	if err != nil {
		return 0, err
	}
	req.Spec.Process = c.spec.Process
	req.Spec.Process.Args, req.Spec.Process.Terminal, req.Spec.Process.Stdin = args, std.tty, std.in != nil
	proc, err := s.startExec(ctx, c, req)
	pipes.closeTheirs()
	if err != nil {
		return 0, status.Errorf(codes.Unknown, "exec in container %s: %v", c.config.GetMetadata().GetName(), err)
	}
	if proc.Console != nil {
		pipes.ours = append(pipes.ours, proc.Console)
		pipes.serveConsole(ctx, proc.Console, std)
	}
	if err := pipes.wait(ctx, proc); err != nil {
		return 0, fmt.Errorf("exec %q in container %s: %w", args, c.id, err)
	}
	return proc.ExitCode(), nil
}

func (s *Server) startExec(ctx context.Context, c *ctr, req launch.Request) (*launch.Process, error) {
	c.pod.life.RLock()
	defer c.pod.life.RUnlock()
	pid, err := c.namespace(namespaces.PID)
	if err != nil {
		return nil, err
	}
	defer pid.File.Close()
	if req.MountNS, err = c.mountNamespace(); err != nil {
		return nil, err
	}
	defer req.MountNS.Close()
	for _, h := range c.pod.ns {
		if h.Kind != namespaces.PID {
			req.Join = append(req.Join, h)
		}
	}
	req.Join = append(req.Join, pid)
	return s.launcher.Start(ctx, req)
}

func (c *ctr) mountNamespace() (*os.File, error) {
	proc := c.process()
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", proc.PID()))
	if err != nil {
		return nil, fmt.Errorf("open mount namespace: %w", err)
	}
	if !proc.Running() {
		return nil, errors.Join(status.Errorf(codes.FailedPrecondition, "container %s is not running", c.id), f.Close())
	}
	return f, nil
}

// execPipes are the streams of one command.
type execPipes struct {
	ours, theirs []*os.File
	copies       sync.WaitGroup
}

func connectExec(std stdio) (*execPipes, launch.Request, error) {
	p := &execPipes{}
	req := launch.Request{Mode: container.ModeExec}
	if std.tty {
		return p, req, nil
	}
	for _, o := range []struct {
		to   io.Writer
		file **os.File
	}{{std.out, &req.Stdout}, {std.err, &req.Stderr}} {
		if o.to == nil {
			continue
		}
		r, w, err := launch.OutputPipe()
		if err != nil {
			return p, req, err
		}
		*o.file = w
		p.ours, p.theirs = append(p.ours, r), append(p.theirs, w)
		p.copies.Go(func() { _, _ = io.Copy(o.to, r) })
	}
	if std.in == nil {
		return p, req, nil
	}
	r, w, err := launch.InputPipe()
	if err != nil {
		return p, req, err
	}
	req.Stdin = r
	p.ours, p.theirs = append(p.ours, w), append(p.theirs, r)
	// Not waited for: it may wait for the client's next keystroke.
	go func() { _, _ = io.Copy(w, std.in); _ = w.Close() }()
	return p, req, nil
}

func (p *execPipes) serveConsole(ctx context.Context, console *os.File, std stdio) {
	if std.out != nil {
		p.copies.Go(func() { _, _ = io.Copy(std.out, console) })
	}
	if std.in != nil {
		go func() { _, _ = io.Copy(console, std.in) }()
	}
	go resizeConsole(ctx, console, std.resize)
}

// resizeConsole follows the client's window until the client or ctx ends it.
func resizeConsole(ctx context.Context, console *os.File, sizes <-chan remotecommand.TerminalSize) {
	for {
		select {
		case <-ctx.Done():
			return
		case size, ok := <-sizes:
			if !ok {
				return
			}
			setWindow(console, size)
		}
	}
}

func setWindow(console *os.File, size remotecommand.TerminalSize) {
	raw, err := console.SyscallConn()
	if err != nil {
		return
	}
	// A closed terminal has no size to set.
	_ = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Height, Col: size.Width})
	})
}

// wait returns when the process and its output have ended. When ctx ends first,
// the process is killed with what it started.
func (p *execPipes) wait(ctx context.Context, proc *launch.Process) error {
	ended := make(chan struct{})
	go func() {
		<-proc.Done()
		p.copies.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		proc.KillGroup()
		<-proc.Done()
		for _, f := range p.ours {
			_ = f.Close()
		}
		<-ended
		return ctx.Err()
	}
}

func (p *execPipes) closeTheirs() {
	closeAll(p.theirs)
	p.theirs = nil
}

func (p *execPipes) close() {
	p.closeTheirs()
	closeAll(p.ours)
	p.copies.Wait()
}
