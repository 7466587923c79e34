package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/control"
	"github.com/meshfed/meshfed/cluster/internal/nsproc"
	"github.com/meshfed/meshfed/cluster/internal/proc"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// Arg is the first argument that makes a binary the engine's process.
const Arg = "__docker-engine"

// config is what the process is told on its standard input.
type config struct {
	Engine  Engine
	Runtime string
}

// Main runs the engine until it is shut down or dockerd ends. It is called in
// namespaces of its own.
func Main() error {
	nsproc.KeepPrivate()
	var c config
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if err := ownFolders(); err != nil {
		return err
	}
	if err := joinMachine(); err != nil {
		return err
	}
	daemon, err := c.dockerd()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := daemon.Until(ctx, 50*time.Millisecond, c.Engine.ping); err != nil {
		return err
	}
	if err := fence(); err != nil {
		return err
	}
	if err := c.serve(ctx, cancel); err != nil {
		return err
	}
	select {
	case <-daemon.Done():
		return daemon.Err()
	case <-ctx.Done():
	}
	return c.stop(daemon)
}

// ownFolders hides the machine's run-time files from the engine, and its own
// from the machine.
func ownFolders() error {
	for _, dir := range []string{"/run", "/etc/docker"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	return nil
}

// dockerd starts the daemon.
func (c config) dockerd() (*proc.Process, error) {
	file := "/run/dockerd.json"
	raw, err := json.Marshal(map[string]any{
		"hosts":           []string{c.Engine.Host()},
		"data-root":       c.Engine.DataDir,
		"exec-root":       "/run/docker",
		"pidfile":         "/run/dockerd.pid",
		"runtimes":        map[string]any{"fit": map[string]any{"path": c.Runtime}},
		"default-runtime": "fit",
		"cgroup-parent":   cgroupParent,
		"storage-driver":  "overlay2",
		// No network but those that are asked for, and no port of a program
		// where a rule does.
		"bridge": "none", "ip6tables": false, "userland-proxy": false,
		// A name of the world is refused at once: nobody listens there.
		"dns": []string{"127.0.0.1"},
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, err
	}
	program, err := toolchain.FindProgram(exec.LookPath, "dockerd")
	if err != nil {
		return nil, fmt.Errorf("dockerd: %w: install docker.io", err)
	}
	cmd := exec.Command(program, "--config-file", file) //nolint:noctx // ends with the engine
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return proc.Start(cmd, "dockerd", c.Engine.Dir)
}

// fence lets the machine's clients in, and nothing that begins inside out.
func fence() error {
	iptables, err := toolchain.FindProgram(exec.LookPath, "iptables")
	if err != nil {
		return fmt.Errorf("fence: %w: install iptables", err)
	}
	// The daemon makes the chain with its first network and keeps one that is
	// there, so making it may fail and its rules may not.
	_ = exec.Command(iptables, "-w", "-N", "DOCKER-USER").Run() //nolint:noctx // milliseconds
	for _, rule := range [][]string{
		{"-I", "DOCKER-USER", "-i", insideLink, "-j", "ACCEPT"},
		{"-I", "DOCKER-USER", "-o", insideLink, "-m", "conntrack", "--ctstate", "NEW", "-j", "REJECT"},
	} {
		out, err := exec.Command(iptables, append([]string{"-w"}, rule...)...).CombinedOutput() //nolint:noctx // milliseconds
		if err != nil {
			return fmt.Errorf("fence: iptables %v: %w: %s", rule, err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// serve answers on the control socket, whose being there says that the fence
// stands.
func (c config) serve(ctx context.Context, shutdown func()) error {
	path := filepath.Join(c.Engine.Dir, "control.sock")
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	go func() {
		_ = control.Serve(ctx, listener, func(_ context.Context, r control.Request, _ *os.File) error {
			if r.Op != control.Shutdown {
				return fmt.Errorf("unknown request %q", r.Op)
			}
			shutdown()
			return nil
		})
	}()
	return nil
}

// stop ends dockerd in good order, so that its images can be used again.
func (c config) stop(daemon *proc.Process) error {
	if err := daemon.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-daemon.Done():
	case <-time.After(stopLimit - 5*time.Second):
		return errors.New("dockerd did not end")
	}
	return os.WriteFile(c.Engine.cleanMarker(), nil, 0o600)
}
