// Package launch starts the inside of containers and watches it become their
// command.
//
// It is the parent's half of the container package: it knows how a process is
// born into given namespaces and how its start is reported, and must not know
// pods, images or the runtime's bookkeeping.
package launch

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/namespaces"
)

// Launcher starts processes from one sealed binary. It is safe for concurrent use.
type Launcher struct {
	binary *os.File
	argv   []string
}

// Request says what to start.
type Request struct {
	Mode container.Mode
	Spec container.Spec
	// Join are the namespaces that the process is born into.
	Join namespaces.Set
	// NewPID makes a PID namespace of which the process is the first.
	NewPID bool
	// MountNS is the mount namespace to join, in container.ModeExec only.
	MountNS *os.File
	// Stdin, Stdout and Stderr become the process's own; a nil one is the
	// null device. They stay open here. With a terminal they are unused.
	Stdin, Stdout, Stderr *os.File
}

// Start returns when the container's command runs, or with the reason why it
// does not. When ctx ends before that, the process is killed.
func (l *Launcher) Start(ctx context.Context, req Request) (*Process, error) {
	specIn, specOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start container process: %w", err)
	}
	defer specOut.Close()
	parent, child, err := reportSocket()
	if err != nil {
		specIn.Close()
		return nil, fmt.Errorf("start container process: %w", err)
	}
	defer parent.Close()
	cmd := l.command(req, specIn, child)
	err = req.Join.Do(cmd.Start)
	specIn.Close()
	child.Close()
	if err != nil {
		return nil, fmt.Errorf("start container process: %w", err)
	}
	p := newProcess(cmd)
	if req.Mode == container.ModePause {
		return p, nil
	}
	// A write that fails means that the process is gone; follow says why.
	_ = json.NewEncoder(specOut).Encode(req.Spec)
	specOut.Close()
	if err := p.follow(ctx, parent); err != nil {
		p.Kill()
		<-p.Done()
		p.closeConsole()
		return nil, err
	}
	return p, nil
}

func (l *Launcher) command(req Request, spec, report *os.File) *exec.Cmd {
	files := []*os.File{spec, report, l.binary}
	flags := uintptr(0)
	if req.Mode == container.ModeInit {
		flags |= unix.CLONE_NEWNS
	}
	if req.NewPID {
		flags |= unix.CLONE_NEWPID
	}
	if req.MountNS != nil {
		files = append(files, req.MountNS)
	}
	cmd := &exec.Cmd{
		Path: fmt.Sprintf("/proc/self/fd/%d", container.FDSelf),
		Args: append(append([]string{}, l.argv...), string(req.Mode)),
		// One processor and no garbage collection: it lives for milliseconds.
		Env:         []string{"GOMAXPROCS=1", "GOGC=off"},
		Dir:         "/",
		ExtraFiles:  files,
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: flags, Setsid: true},
	}
	// A typed nil in the interface would be taken for a file.
	if req.Stdin != nil {
		cmd.Stdin = req.Stdin
	}
	if req.Stdout != nil {
		cmd.Stdout = req.Stdout
	}
	if req.Stderr != nil {
		cmd.Stderr = req.Stderr
	}
	return cmd
}

// reportSocket keeps messages apart and can carry file descriptors.
func reportSocket() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make report socket: %w", err)
	}
	child := os.NewFile(uintptr(fds[1]), "report")
	parent := os.NewFile(uintptr(fds[0]), "report")
	defer parent.Close()
	conn, err := net.FileConn(parent)
	if err != nil {
		child.Close()
		return nil, nil, fmt.Errorf("make report socket: %w", err)
	}
	return conn.(*net.UnixConn), child, nil
}
