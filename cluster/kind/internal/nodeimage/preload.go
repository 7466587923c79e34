package nodeimage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/proc"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// preloadLimit bounds the start of a containerd that runs nothing.
const preloadLimit = 30 * time.Second

// preload fills the store of the node's own containerd below root with the
// images of archives, by running it here for a moment, without its parts for
// running anything. As archives they would have to be loaded on each start.
func (in Inputs) preload(ctx context.Context, root string, core []string) (err error) {
	// A socket's path has to be short.
	scratch, err := os.MkdirTemp("", "meshfed-preload-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	socket := filepath.Join(scratch, "c.sock")
	config := filepath.Join(scratch, "config.toml")
	text := fmt.Sprintf(`version = 3
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.nri.v1.nri"]
[grpc]
  address = %q
[ttrpc]
  address = %q
`, filepath.Join(root, "var/lib/containerd"), filepath.Join(scratch, "state"), socket, socket+".ttrpc")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	cmd := exec.Command(in.Node.Path(toolchain.Containerd), "--config", config) //nolint:noctx // stopped in good order below
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET}
	daemon, err := proc.Start(cmd, "containerd", scratch)
	if err != nil {
		return err
	}
	defer func() {
		// It writes its index on the way out.
		_ = daemon.Signal(syscall.SIGTERM)
		select {
		case <-daemon.Done():
		case <-time.After(preloadLimit):
			_ = daemon.Signal(syscall.SIGKILL)
			<-daemon.Done()
			err = errors.Join(err, errors.New("containerd did not end"))
		}
	}()
	started, cancel := context.WithTimeoutCause(ctx, preloadLimit, fmt.Errorf("not within %s", preloadLimit))
	defer cancel()
	if err := daemon.Until(started, 50*time.Millisecond, func(ctx context.Context) error { return dial(ctx, socket) }); err != nil {
		return err
	}
	for _, file := range core {
		if _, err := command.Run(ctx, command.Command{Argv: []string{
			in.Node.Path(toolchain.Ctr), "--address", socket, "--namespace", "k8s.io", "images", "import",
			"--label=io.cri-containerd.pinned=pinned", "--no-unpack", "--digests", file,
		}}); err != nil {
			return err
		}
	}
	return nil
}

func dial(ctx context.Context, socket string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return c.Close()
}
