package cri

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// streamServer serves the long-lived streams of exec, attach and port-forward
// over HTTP: CRI only hands out their addresses.
type streamServer struct {
	streaming.Server
	listener net.Listener
	http     *http.Server
}

func newStreamServer(addr string, s *Server) (*streamServer, error) {
	listener, err := net.Listen("tcp", addr) //nolint:noctx // a loopback listener opens at once
	if err != nil {
		return nil, fmt.Errorf("stream server: %w", err)
	}
	cfg := streaming.DefaultConfig
	cfg.Addr = listener.Addr().String()
	cfg.BaseURL = &url.URL{Scheme: "http", Host: cfg.Addr}
	handler, err := streaming.NewServer(cfg, streamRuntime{s})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("stream server: %w", err), listener.Close())
	}
	return &streamServer{Server: handler, listener: listener, http: &http.Server{Handler: handler}}, nil
}

func (t *streamServer) serve() error { return t.http.Serve(t.listener) }

// close ends idle connections; streams end with their containers.
func (t *streamServer) close() error {
	return errors.Join(t.http.Close(), closed(t.listener.Close()))
}

// streamRuntime is a Server as the streaming library sees it.
type streamRuntime struct{ s *Server }

var _ streaming.Runtime = streamRuntime{}

// Exec implements streaming.Runtime.
//
//nolint:revive // kubelet's own interface
func (r streamRuntime) Exec(ctx context.Context, id string, cmd []string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	return r.s.execStream(ctx, id, cmd, streamsOf(in, out, err, tty, resize))
}

// Attach implements streaming.Runtime.
//
//nolint:revive // kubelet's own interface
func (r streamRuntime) Attach(ctx context.Context, id string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	return r.s.attachStream(ctx, id, streamsOf(in, out, err, tty, resize))
}

// PortForward implements streaming.Runtime.
func (r streamRuntime) PortForward(ctx context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	return r.s.forwardPort(ctx, id, port, stream)
}

// streamsOf leaves the interfaces of absent streams nil: a nil WriteCloser in a
// Writer would look connected.
func streamsOf(in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) stdio {
	std := stdio{in: in, tty: tty, resize: resize}
	if out != nil {
		std.out = out
	}
	if err != nil {
		std.err = err
	}
	return std
}

// Exec prepares a stream for a command in a running container.
func (s *Server) Exec(_ context.Context, req *runtimeapi.ExecRequest) (*runtimeapi.ExecResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	if _, err := c.running(); err != nil {
		return nil, err
	}
	return s.streams.GetExec(req)
}

// Attach prepares a stream to a running container's own process.
func (s *Server) Attach(_ context.Context, req *runtimeapi.AttachRequest) (*runtimeapi.AttachResponse, error) {
	c, err := s.container(req.GetContainerId())
	if err != nil {
		return nil, err
	}
	if _, err := c.running(); err != nil {
		return nil, err
	}
	return s.streams.GetAttach(req)
}

// PortForward prepares streams to ports of a pod.
func (s *Server) PortForward(_ context.Context, req *runtimeapi.PortForwardRequest) (*runtimeapi.PortForwardResponse, error) {
	if _, err := s.sandbox(req.GetPodSandboxId()); err != nil {
		return nil, err
	}
	return s.streams.GetPortForward(req)
}
