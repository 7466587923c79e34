// Package lab is the process that holds a lab together: it owns the WAN, a
// bridge in a network namespace with no way out, starts one node a cluster,
// serves the host ports that the harness hands it, and ends everything when it
// ends.
//
// It must know nothing of Kubernetes: a node is a program in namespaces.
package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
	"github.com/meshfed/meshfed/cluster/embedded/internal/node"
	"github.com/meshfed/meshfed/cluster/internal/addr"
	"github.com/meshfed/meshfed/cluster/internal/control"
	"github.com/meshfed/meshfed/cluster/internal/nsproc"
)

// NodeArg is the first argument that makes a binary a node of the lab.
const NodeArg = "__node"

// The files a lab process inherits, by number.
const (
	// EventsFD takes the lab's events.
	EventsFD = 3
	// LifeFD is read to its end: then the lab's maker is gone, and the lab
	// goes too unless it was detached.
	LifeFD = 4
	// LockFD holds the lock of the state directory for as long as the lab is.
	LockFD = 5
	// ListenersFD is the first of one host listener a node, each for its API.
	ListenersFD = 6
)

// Config is what the harness tells a lab process, on its standard input. It
// holds no secrets.
type Config struct {
	// Socket is the path of the control socket.
	Socket string
	Nodes  []node.Config
}

// Main runs the lab until it is shut down or its maker is gone.
func Main() error {
	nsproc.KeepPrivate()
	sender := event.NewSender(os.NewFile(EventsFD, "events"), "")
	err := run(sender)
	if err != nil {
		sender.Send(event.Failed, "%v", err)
	}
	return err
}

func run(sender *event.Sender) error {
	var cfg Config
	if err := json.NewDecoder(os.Stdin).Decode(&cfg); err != nil {
		return fmt.Errorf("lab configuration: %w", err)
	}
	if err := makeWAN(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := &lab{cfg: cfg, sender: sender, cancel: cancel, detached: make(chan struct{})}
	go l.followMaker(ctx)
	if err := l.serveAPIs(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.serveControl(ctx) })
	for i := range cfg.Nodes {
		g.Go(func() error { return l.runNode(ctx, i) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

type lab struct {
	cfg      Config
	sender   *event.Sender
	cancel   context.CancelFunc
	detached chan struct{}
}

// followMaker ends the lab with its maker, however that ended: the kernel
// closes the pipe for a process that was killed, too.
func (l *lab) followMaker(ctx context.Context) {
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(LifeFD, "life"))
		close(gone)
	}()
	select {
	case <-l.detached:
	case <-ctx.Done():
	case <-gone:
		select {
		case <-l.detached:
		default:
			l.cancel()
		}
	}
}

func (l *lab) serveAPIs(ctx context.Context) error {
	for i, n := range l.cfg.Nodes {
		plan, err := addr.PlanOf(n.Index)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(ListenersFD+i), "api-"+n.Name)
		if err := l.forward(ctx, f, net.JoinHostPort(plan.Node.String(), "6443")); err != nil {
			return fmt.Errorf("API port of %s: %w", n.Name, err)
		}
	}
	return nil
}

func (l *lab) forward(ctx context.Context, f *os.File, target string) error {
	listener, err := net.FileListener(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("forward to %s: %w", target, err)
	}
	go control.Relay(ctx, listener, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp4", target)
	})
	return nil
}

func (l *lab) serveControl(ctx context.Context) error {
	if err := os.Remove(l.cfg.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: l.cfg.Socket, Net: "unixpacket"})
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(l.cfg.Socket, 0o600); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return control.Serve(ctx, listener, l.handle)
}

func (l *lab) handle(ctx context.Context, r control.Request, f *os.File) error {
	switch r.Op {
	case control.Forward:
		if f == nil {
			return errors.New("forward: no listener came with the request")
		}
		// The request's context ends with the lab, and so shall the forward.
		return l.forward(ctx, f, r.Target)
	case control.Detach:
		select {
		case <-l.detached:
		default:
			close(l.detached)
		}
		return nil
	case control.Shutdown:
		l.cancel()
		return nil
	default:
		return fmt.Errorf("unknown request %q", r.Op)
	}
}

// runNode starts a node, plugs it into the WAN, tells it its configuration and
// passes its events on. The node's end is the lab's.
func (l *lab) runNode(ctx context.Context, i int) error {
	cfg := l.cfg.Nodes[i]
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("node %s: %w", cfg.Name, err)
	}
	log, err := os.OpenFile(filepath.Join(cfg.LogDir, "node.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("node %s: %w", cfg.Name, err)
	}
	defer log.Close()
	cmd := nsproc.Command("/proc/self/exe", NodeArg)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("node %s: %w", cfg.Name, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("node %s: start: %w", cfg.Name, err)
	}
	w.Close()
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	events := make(chan string)
	go func() { events <- l.passEvents(r) }()
	if err := plugIn(cfg.Name, cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill()
		return err
	}
	if err := json.NewEncoder(stdin).Encode(cfg); err != nil {
		return fmt.Errorf("node %s: configure: %w", cfg.Name, err)
	}
	failure := <-events
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil
	case failure != "":
		return errors.New(failure)
	default:
		return fmt.Errorf("node %s ended without a word: %w", cfg.Name, err)
	}
}

// passEvents forwards a node's events until it ends and returns its failure,
// which the lab's own last event will tell.
func (l *lab) passEvents(r io.ReadCloser) (failure string) {
	defer r.Close()
	if err := event.Read(r, func(e event.Event) {
		if e.Kind == event.Failed {
			failure = e.Text
			return
		}
		l.sender.Forward(e)
	}); err != nil && failure == "" {
		failure = err.Error()
	}
	return failure
}
