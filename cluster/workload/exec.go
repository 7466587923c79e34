package workload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/meshfed/meshfed/cluster"
)

// Exec runs a command in one ready pod of the workload and returns its exit
// code. The error is about reaching the command, not about what it did: a
// command that ran and failed gives its code and no error.
func (c *Client) Exec(ctx context.Context, ref Ref, command []string, streams cluster.Streams) (int, error) {
	pod, err := c.Pick(ctx, ref)
	if err != nil {
		return 0, fmt.Errorf("exec: %w", err)
	}
	return c.ExecIn(ctx, pod, ref.Container, command, streams)
}

// ExecIn is Exec in that very pod; an empty container is its default one.
func (c *Client) ExecIn(ctx context.Context, pod *corev1.Pod, in string, command []string, streams cluster.Streams) (int, error) {
	name, err := container(pod, Ref{Container: in})
	if err != nil {
		return 0, fmt.Errorf("exec: %w", err)
	}
	what := fmt.Sprintf("exec %q in %s/%s container %s", strings.Join(command, " "), pod.Namespace, pod.Name, name)
	executor, err := c.executor(pod, &corev1.PodExecOptions{
		Container: name, Command: command,
		Stdin: streams.In != nil, Stdout: streams.Out != nil, Stderr: streams.Err != nil,
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: streams.In, Stdout: streams.Out, Stderr: streams.Err})
	var exit utilexec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitStatus(), nil
	}
	if endedByDeadline(ctx, err) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return 0, nil
}

// endedByDeadline says whether it was ctx that ended the stream. The stream's
// connection has ctx's deadline as its own, and its timer may go off a moment
// sooner: a caller that asked ctx then would take the end of its patience for a
// broken connection.
func endedByDeadline(ctx context.Context, err error) bool {
	const moment = 100 * time.Millisecond
	deadline, has := ctx.Deadline()
	if !has || !errors.Is(err, os.ErrDeadlineExceeded) || time.Until(deadline) > moment {
		return false
	}
	<-ctx.Done()
	return true
}

// executor speaks WebSocket and, to servers or through proxies that do not
// upgrade to it, SPDY.
func (c *Client) executor(pod *corev1.Pod, options *corev1.PodExecOptions) (remotecommand.Executor, error) {
	url := c.kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).
		SubResource("exec").VersionedParams(options, scheme.ParameterCodec).URL()
	websocket, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, url.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(c.config, http.MethodPost, url)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}
