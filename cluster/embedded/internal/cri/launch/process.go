package launch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
)

// Process is a container's process. It is safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	code int

	// User is who the process runs as.
	User container.User
	// Console is the master end of its terminal, or nil. It belongs to the
	// receiver of the Process.
	Console *os.File
}

func newProcess(cmd *exec.Cmd) *Process {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go func() {
		// Its error repeats the state; a lost state (somebody else reaped
		// the process) must not look like success.
		_ = cmd.Wait()
		p.code = exitCode(cmd.ProcessState)
		close(p.done)
	}()
	return p
}

// lostStatus is the exit code of a process whose status nobody can tell.
const lostStatus = 255

func exitCode(s *os.ProcessState) int {
	if s == nil {
		return lostStatus
	}
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// PID is the process's number in the caller's PID namespace.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is the shell's: 128 and the signal's number for a process that was
// killed. It is valid once Done is closed.
func (p *Process) ExitCode() int { return p.code }

// Running says whether the process has not been seen to end. While it is true,
// or if it is true after a look into /proc, the PID was this process's.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends a signal; to a process that has ended it does nothing.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s to process %d: %w", s, p.PID(), err)
	}
	return nil
}

// Kill ends the process. The first of a PID namespace takes all others along.
func (p *Process) Kill() { _ = p.Signal(syscall.SIGKILL) }

func (p *Process) closeConsole() {
	if p.Console != nil {
		_ = p.Console.Close()
	}
}

// KillGroup ends the process and what it started, unless that left its group.
func (p *Process) KillGroup() {
	if p.Running() {
		_ = unix.Kill(-p.PID(), unix.SIGKILL)
	}
}

// follow reads the reports of the start until the command runs.
func (p *Process) follow(ctx context.Context, reports *net.UnixConn) error {
	stop := context.AfterFunc(ctx, func() { _ = reports.SetReadDeadline(time.Now()) })
	defer stop()
	last := container.Event("none")
	for {
		r, console, err := receive(reports)
		if console != nil {
			p.Console = console
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("start container process: %w; its last report was %q", ctx.Err(), last)
		case errors.Is(err, io.EOF) && last == container.EventExec:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("start container process: it died before its command ran; its last report was %q", last)
		case err != nil:
			return fmt.Errorf("start container process: read its report: %w", err)
		case r.Event == container.EventFailed:
			return errors.New(r.Error)
		case r.Event == container.EventUser:
			p.User = r.User
		}
		last = r.Event
	}
}

func receive(conn *net.UnixConn) (container.Report, *os.File, error) {
	var r container.Report
	data, rights := make([]byte, 64<<10), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(data, rights)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return r, nil, err
	}
	console, err := fileFrom(rights[:oobn])
	if err != nil {
		return r, nil, err
	}
	return r, console, json.Unmarshal(data[:n], &r)
}

func fileFrom(rights []byte) (*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(fds[0])
	// Non-blocking, so that closing it ends a pending read.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "console"), nil
}
