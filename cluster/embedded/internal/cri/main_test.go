package cri_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
)

// insideWord makes the test binary the inside of a container, as the real
// program does it.
const insideWord = "__container"

// The tests re-execute their binary once more, into namespaces of its own that
// stand for a node: nothing that they do reaches the machine's network, mounts
// or processes, and nothing survives them.
const (
	nodeMark    = "MESHFED_CRI_TEST_NODE"
	payloadPath = "MESHFED_CRI_TEST_PAYLOAD"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == insideWord:
		os.Exit(container.Main(os.Args[2:]))
	case os.Geteuid() != 0:
		os.Exit(m.Run()) // every test skips itself
	case os.Getenv(nodeMark) == "":
		os.Exit(runAsNode())
	}
	if err := becomeNode(); err != nil {
		fmt.Fprintln(os.Stderr, "test node:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func runAsNode() int {
	dir, err := os.MkdirTemp("", "cri-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	payload := filepath.Join(dir, "payload")
	build := exec.Command("go", "build", "-o", payload, "./internal/payload")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the payload: %v\n%s", err, out)
		return 1
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	runtime.LockOSThread() // the death signal is the thread's
	node := exec.Command("/proc/self/exe", os.Args[1:]...)
	node.Env = append(os.Environ(), nodeMark+"=1", payloadPath+"="+payload, "TMPDIR="+tmp)
	node.Stdin, node.Stdout, node.Stderr = os.Stdin, os.Stdout, os.Stderr
	node.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	err = node.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the test node:", err)
		return 1
	}
	return 0
}

func becomeNode() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", os.TempDir(), "tmpfs", 0, "mode=1777"); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces, mounts and network links")
	}
}
