package cri_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	utilexec "k8s.io/utils/exec"
)

// screen is a client's view: what it saw, and a way to wait for more.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func stream(t *testing.T, address string, opts remotecommand.StreamOptions) error {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	exec, err := remotecommand.NewSPDYExecutor(&rest.Config{}, http.MethodPost, u)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return exec.StreamWithContext(ctx, opts)
}

func (b *box) execURL(tty, stdin bool, cmd ...string) string {
	b.t.Helper()
	resp, err := b.runtime.Exec(b.t.Context(), &runtimeapi.ExecRequest{ContainerId: b.id, Cmd: cmd, Tty: tty, Stdin: stdin, Stdout: true, Stderr: !tty})
	require.NoError(b.t, err)
	return resp.Url
}

func TestAnExecStreamCarriesAllThreeStreams(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	var out, errs screen
	require.NoError(t, stream(t, b.execURL(false, true, "payload", "cat"), remotecommand.StreamOptions{
		Stdin: strings.NewReader("there and back\n"), Stdout: &out, Stderr: &errs,
	}))
	assert.Equal(t, "there and back\n", out.String())
	require.NoError(t, stream(t, b.execURL(false, false, "payload", "both"), remotecommand.StreamOptions{Stdout: &out, Stderr: &errs}))
	assert.Equal(t, "to stderr\n", errs.String())
}

func TestAnExecStreamReportsTheExitCode(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	err := stream(t, b.execURL(false, false, "payload", "exit", "9"), remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard})
	var exit utilexec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 9, exit.ExitStatus())
	err = stream(t, b.execURL(false, false, "nosuch"), remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard})
	assert.ErrorContains(t, err, `exec: "nosuch": executable file not found in $PATH`)
}

// sizes hands over one window size.
type sizes chan remotecommand.TerminalSize

func (s sizes) Next() *remotecommand.TerminalSize {
	size, ok := <-s
	if !ok {
		return nil
	}
	return &size
}

func TestATerminalFollowsTheClientsWindow(t *testing.T) {
	n := startNode(t)
	config := containerConfig("wait")
	security(config).RunAsUsername = "envoy"
	b := n.run(config)
	window := make(sizes, 1)
	window <- remotecommand.TerminalSize{Width: 132, Height: 43}
	defer close(window)
	var out screen
	require.NoError(t, stream(t, b.execURL(true, true, "payload", "window"), remotecommand.StreamOptions{
		Stdin: strings.NewReader(""), Stdout: &out, Tty: true, TerminalSizeQueue: window,
	}))
	assert.Contains(t, out.String(), "132x43\r\n")
}

func TestAContainerWithATerminalLogsIt(t *testing.T) {
	n := startNode(t)
	config := containerConfig("window")
	config.Tty, config.Stdin = true, true
	b := n.run(config)
	b.says(" stdout F 0x0\r\n")
	resp, err := n.runtime.Attach(t.Context(), &runtimeapi.AttachRequest{ContainerId: b.id, Tty: true, Stdin: true, Stdout: true})
	require.NoError(t, err)
	window := make(sizes, 1)
	window <- remotecommand.TerminalSize{Width: 80, Height: 25}
	defer close(window)
	var out screen
	require.NoError(t, stream(t, resp.Url, remotecommand.StreamOptions{Stdin: strings.NewReader(""), Stdout: &out, Tty: true, TerminalSizeQueue: window}))
	assert.Contains(t, out.String(), "80x25")
	assert.Zero(t, b.exit().ExitCode)
}

func TestAttachConnectsToTheContainersOwnProcess(t *testing.T) {
	n := startNode(t)
	config := containerConfig("cat")
	config.Stdin, config.StdinOnce = true, true
	b := n.run(config)
	resp, err := n.runtime.Attach(t.Context(), &runtimeapi.AttachRequest{ContainerId: b.id, Stdin: true, Stdout: true, Stderr: true})
	require.NoError(t, err)
	var out, errs screen
	require.NoError(t, stream(t, resp.Url, remotecommand.StreamOptions{Stdin: strings.NewReader("typed\n"), Stdout: &out, Stderr: &errs}))
	assert.Equal(t, "typed\n", out.String())
	assert.Zero(t, b.exit().ExitCode, "its input was closed with the first client's")
	assert.Equal(t, "typed\n", b.output(), "and it was logged")
}

func TestAPortIsForwardedToIPv4AndIPv6Loopback(t *testing.T) {
	n := startNode(t)
	for _, listen := range []string{"127.0.0.1:9080", "[::1]:9080"} {
		pod, pc := n.pod()
		n.runIn(pod, pc, containerConfig("serve", listen)).says("listening")
		assert.Contains(t, forwarded(t, n, pod, "hello\n"), "said hello", listen)
	}
}

// forwarded sends a line through a forwarded port and returns the answer.
func forwarded(t *testing.T, n *node, pod, line string) string {
	t.Helper()
	resp, err := n.runtime.PortForward(t.Context(), &runtimeapi.PortForwardRequest{PodSandboxId: pod, Port: []int32{9080}})
	require.NoError(t, err)
	u, err := url.Parse(resp.Url)
	require.NoError(t, err)
	transport, upgrader, err := spdy.RoundTripperFor(&rest.Config{})
	require.NoError(t, err)
	conn, _, err := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, u).Dial(portforward.PortForwardProtocolV1Name)
	require.NoError(t, err)
	defer conn.Close()
	headers := http.Header{}
	headers.Set("streamType", "error")
	headers.Set("port", "9080")
	headers.Set("requestID", "0")
	errs, err := conn.CreateStream(headers)
	require.NoError(t, err)
	require.NoError(t, errs.Close())
	headers.Set("streamType", "data")
	data, err := conn.CreateStream(headers)
	require.NoError(t, err)
	_, err = io.WriteString(data, line)
	require.NoError(t, err)
	answer, err := io.ReadAll(data)
	require.NoError(t, err)
	fault, err := io.ReadAll(errs)
	require.NoError(t, err)
	assert.Empty(t, string(fault))
	return string(answer)
}
