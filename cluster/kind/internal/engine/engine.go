// Package engine is a Docker engine of the project's own, for a machine that
// has none running: dockerd below a pid 1 in namespaces of its own, with its
// socket, its data and its rules apart from everything else of the machine.
//
// Its network has one link to the machine and no way on from there: no default
// route, and nothing that begins inside may use the link. When its pid 1 ends
// the kernel frees all of it. The package must not know of Kubernetes.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/control"
	"github.com/meshfed/meshfed/cluster/internal/nsproc"
	"github.com/meshfed/meshfed/cluster/internal/proc"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

const (
	startLimit = 60 * time.Second
	stopLimit  = 30 * time.Second
)

// Engine is the machine's one engine of this kind; it may be down.
type Engine struct {
	// Dir holds its socket, log and locks; DataDir what it keeps between
	// starts: the images that were loaded into it.
	Dir, DataDir string
	// Lock is the file that a live engine has locked. There is one for the
	// machine: the link and the control groups are the machine's, too.
	Lock string
}

// Packages are what it takes of this machine.
func Packages() []toolchain.HostPackage {
	return []toolchain.HostPackage{
		{Name: "docker.io", Programs: []string{"dockerd", "docker"}, Why: "the nodes of kind are its containers"},
		{Name: "iptables", Programs: []string{"iptables"}, Why: "the Docker engine programs its network with it"},
	}
}

// Host is how Docker's client is told of it.
func (e Engine) Host() string { return "unix://" + e.socket() }

func (e Engine) socket() string { return filepath.Join(e.Dir, "docker.sock") }

func (e Engine) log() string { return filepath.Join(e.Dir, "dockerd.log") }

// Alive says whether it is up, or about to be.
func (e Engine) Alive() bool {
	owner, err := e.owner()
	return err == nil && owner == e.Dir
}

// owner is the folder of the engine that is up on this machine; empty if none is.
func (e Engine) owner() (string, error) {
	f, err := lock(e.Lock, unix.LOCK_NB)
	if err == nil {
		return "", f.Close()
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return "", err
	}
	dir, err := os.ReadFile(e.Lock)
	return string(dir), err
}

// Hold keeps other processes from starting and stopping the engine until the
// file is closed.
func (e Engine) Hold() (*os.File, error) {
	if err := os.MkdirAll(e.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	return lock(filepath.Join(e.Dir, "operation.lock"), 0)
}

func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|how)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("docker engine: lock: %w", err)
	}
	return f, nil
}

// become takes the machine's lock and says whose it is now.
func (e Engine) become() (*os.File, error) {
	f, err := lock(e.Lock, unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		owner, _ := os.ReadFile(e.Lock)
		return nil, fmt.Errorf("another one is up on this machine, with its state in %s: `conformance cleanup --provider kind` with that XDG_STATE_HOME ends it", owner)
	}
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(0), write(f, e.Dir)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func write(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return err
}

// Start starts it if it is down and returns when it answers. The caller holds
// it (see Hold). runtime is the program that starts containers.
func (e Engine) Start(ctx context.Context, runtime string) error {
	if e.Alive() {
		return e.untilServing(ctx, nil)
	}
	if err := checkRoutes(); err != nil {
		return fmt.Errorf("docker engine: %w", err)
	}
	alive, err := e.become()
	if err != nil {
		return fmt.Errorf("docker engine: %w", err)
	}
	defer alive.Close()
	if err := e.prepare(); err != nil {
		return fmt.Errorf("docker engine: %w", err)
	}
	if err := e.spawn(ctx, config{Engine: e, Runtime: runtime}, alive); err != nil {
		return errors.Join(fmt.Errorf("docker engine: %w", err), e.clean())
	}
	return nil
}

// prepare removes what an engine that was killed has left.
func (e Engine) prepare() error {
	if err := e.prepareData(); err != nil {
		return err
	}
	return e.clean()
}

// discard removes the data of an engine that was killed. It has containers,
// which the next one would start again; that of one that was stopped is kept.
func (e Engine) discard() error {
	if _, err := os.Stat(e.cleanMarker()); err == nil {
		return nil
	}
	if err := os.RemoveAll(e.DataDir); err != nil {
		return fmt.Errorf("what a killed engine left: %w", err)
	}
	return nil
}

// prepareData begins with nothing but images.
func (e Engine) prepareData() error {
	marker := e.cleanMarker()
	if err := e.discard(); err != nil {
		return err
	}
	if err := os.MkdirAll(e.DataDir, 0o700); err != nil {
		return err
	}
	if err := os.Remove(marker); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// cleanMarker is there if the last engine was stopped in good order.
func (e Engine) cleanMarker() string { return filepath.Join(e.DataDir, ".stopped") }

// clean removes what is outside of the engine's namespaces.
func (e Engine) clean() error {
	errs := []error{removeCgroups(), unlink()}
	for _, name := range []string{"docker.sock", "control.sock"} {
		if err := os.Remove(filepath.Join(e.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// spawn starts the process, links it to the machine, and waits for an answer.
func (e Engine) spawn(ctx context.Context, c config, alive *os.File) error {
	log, err := os.OpenFile(e.log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := nsproc.Command("/proc/self/exe", Arg)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{alive}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start it in namespaces of its own: %w (root is needed)", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	err = link(cmd.Process.Pid)
	if err == nil {
		err = json.NewEncoder(stdin).Encode(c)
	}
	if err == nil {
		err = e.untilServing(ctx, ended)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		<-ended
	}
	return err
}

// Ready waits until it answers if it is up or about to be; false says that it
// is down.
func (e Engine) Ready(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("docker engine: no answer within %s", startLimit))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for e.Alive() {
		if e.serving(ctx) == nil {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-tick.C:
		}
	}
	return false, nil
}

// untilServing waits for the first answer, or for the end of the process if it
// is known.
func (e Engine) untilServing(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("no answer within %s", startLimit))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := e.serving(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended; its last lines:\n%s", proc.Tail(e.log(), 12))
		case <-ctx.Done():
			return fmt.Errorf("%w; last answer: %w; its last lines:\n%s", context.Cause(ctx), err, proc.Tail(e.log(), 12))
		case <-tick.C:
		}
	}
}

// serving holds if it answers and its fence stands.
func (e Engine) serving(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(e.Dir, "control.sock")); err != nil {
		return err
	}
	return e.ping(ctx)
}

func (e Engine) ping(ctx context.Context) error {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", e.socket())
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ping: %s", answer.Status)
	}
	return nil
}

// Stop ends it and removes what is outside of its namespaces; its images are
// kept. The caller holds it.
func (e Engine) Stop(ctx context.Context) error {
	owner, err := e.owner()
	if err == nil && owner == e.Dir {
		err = e.shutdown(ctx)
	}
	if err == nil && (owner == "" || owner == e.Dir) {
		err = errors.Join(e.clean(), e.discard())
	}
	if err != nil {
		return fmt.Errorf("stop docker engine: %w", err)
	}
	return nil
}

// shutdown asks it to end, as soon as it can be asked, until it is gone.
func (e Engine) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stopLimit, fmt.Errorf("it did not end within %s", stopLimit))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	asked := false
	for e.Alive() {
		if !asked {
			asked = control.Call(ctx, filepath.Join(e.Dir, "control.sock"), control.Request{Op: control.Shutdown}, nil) == nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// Subnet is the n-th network that its containers can have, from 1.
func Subnet(n int) (netip.Prefix, error) {
	if n < 1 || n > 254 {
		return netip.Prefix{}, fmt.Errorf("network %d: there are 254", n)
	}
	a := supernet().Addr().As4()
	a[2] = byte(n)
	return netip.PrefixFrom(netip.AddrFrom4(a), 24), nil
}

// FindDocker is the client's program.
func FindDocker() (string, error) { return toolchain.FindProgram(exec.LookPath, "docker") }
