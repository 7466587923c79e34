// Package nsproc starts a program as the only tenant of new Linux namespaces.
//
// The program's parent inside is a small pid 1 (Init) that collects orphans
// and ends when the program does; with it the kernel ends everything that was
// started inside and frees every mount, interface and rule. That is the whole
// of the lab's clean-up, and why kill -9 cannot leave anything behind. The
// package must not know what the program does.
package nsproc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// umask is what everything inside starts with. Root's own may be 077 where a
// machine was hardened, and what runs inside as another user could enter none of
// the folders that root makes for it. A secret has its mode by itself.
const umask = 0o022

// InitArg is the first argument that makes a binary call Init.
const InitArg = "__init"

// Command is a command that runs `self args…` below a pid 1 of its own in new
// pid, network, mount, host name and IPC namespaces. ExtraFiles reach it, and the
// environment without its proxies.
func Command(self string, args ...string) *exec.Cmd {
	cmd := exec.Command(self, append([]string{InitArg}, args...)...) //nolint:noctx // a lab outlives the context of the command that made it
	cmd.Env = withoutProxies(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Setsid:     true,
	}
	return cmd
}

// withoutProxies leaves out what names a proxy of the machine's own network. No
// packet of the namespaces reaches one, and a program that asks it for what is
// inside, as the API server does for its webhooks, fails minutes later with
// nothing but a time-out.
func withoutProxies(environ []string) []string {
	return slices.DeleteFunc(environ, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "all_proxy", "no_proxy":
			return true
		}
		return false
	})
}

// Init is pid 1: it gives the namespace a /proc of its own, starts args with
// every inherited file and a usual umask, collects whoever dies, and returns the program's exit
// code. Its caller exits with it.
func Init(args []string) int {
	unix.Umask(umask)
	if err := privateProc(); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
		return 1
	}
	child, err := syscall.ForkExec("/proc/self/exe", append([]string{os.Args[0]}, args...),
		&syscall.ProcAttr{Env: os.Environ(), Files: inherited()})
	if err != nil {
		fmt.Fprintln(os.Stderr, "init: start:", err)
		return 1
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "init: wait:", err)
			return 1
		case pid == child && status.Signaled():
			return 128 + int(status.Signal())
		case pid == child && status.Exited():
			return status.ExitStatus()
		}
	}
}

func privateProc() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// inherited are the standard files and those the parent passed. They are plain
// numbers: an os.File would close its number when it is collected, under
// whoever uses it then.
func inherited() []uintptr {
	fds := []uintptr{0, 1, 2}
	for fd := uintptr(3); ; fd++ {
		flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return fds
		}
		fds = append(fds, fd)
	}
}

// KeepPrivate stops this process's own children from inheriting the files it
// inherited itself: a lock or a pipe that leaked into a child would outlive
// its owner, and with it what its end is to tell.
func KeepPrivate() {
	for _, fd := range inherited()[3:] {
		unix.CloseOnExec(int(fd))
	}
}
