package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// Main is the whole life of a re-executed binary, given the arguments behind
// the runtime's own prefix. It returns an exit status only if it has not become
// the container's command.
func Main(args []string) int {
	// Namespaces, capabilities and user ids below belong to a thread.
	runtime.LockOSThread()
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "container: want one argument: init, exec or pause; it is started by the container runtime only")
		return 2
	}
	if Mode(args[0]) == ModePause {
		return pause()
	}
	up := newUplink()
	err := run(Mode(args[0]), up)
	up.send(Report{Event: EventFailed, Error: err.Error()})
	return 1
}

// run returns only when it fails.
func run(mode Mode, up *uplink) error {
	spec, err := readSpec()
	if err != nil {
		return err
	}
	if err := spec.Process.validate(); err != nil {
		return err
	}
	// The mount points and files made on the way get the modes they ask for.
	unix.Umask(0)
	switch mode {
	case ModeInit:
		err = makeRoot(spec.Root)
	case ModeExec:
		err = joinMounts()
	default:
		err = fmt.Errorf("unknown mode %q", mode)
	}
	if err != nil {
		return err
	}
	return become(spec.Process, up)
}

func readSpec() (Spec, error) {
	var spec Spec
	f := os.NewFile(FDSpec, "spec")
	raw, err := io.ReadAll(f)
	if err != nil {
		return spec, fmt.Errorf("read specification: %w", err)
	}
	if err := json.Unmarshal(raw, &spec); err != nil {
		return spec, fmt.Errorf("read specification: %w", err)
	}
	return spec, f.Close()
}

// joinMounts enters the mount namespace of a running container. The kernel
// refuses it to a thread that shares its root and working directory.
func joinMounts() error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("stop sharing the working directory: %w", err)
	}
	if err := unix.Setns(FDMountNS, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the container's mount namespace: %w", err)
	}
	return nil
}

// pause is the init of a PID namespace: as long as it lives the namespace does.
func pause() int {
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	for range children {
		for {
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return 0
}

// uplink reports to the parent.
type uplink struct{ fd int }

// newUplink also makes everything inherited vanish at execve: the parent learns
// of its success by the socket's end, and the container gets no file of the node.
func newUplink() *uplink {
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	return &uplink{fd: FDReport}
}

// send drops its errors: without a parent there is nobody to tell them to.
func (u *uplink) send(r Report, files ...int) {
	raw, err := json.Marshal(r)
	if err != nil {
		return
	}
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	_ = unix.Sendmsg(u.fd, raw, rights, nil, 0)
}
