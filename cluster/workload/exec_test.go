package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	streams "k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"github.com/meshfed/meshfed/cluster"
)

// kubelet plays an API server that has some pods and runs "commands" in them:
// cat echoes, fail exits with 7, hang does not end.
type kubelet struct{ pods []corev1.Pod }

func (k kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/exec") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: k.pods})
		return
	}
	q := r.URL.Query()
	options := &streams.Options{Stdin: q.Get("stdin") == "true", Stdout: q.Get("stdout") == "true", Stderr: q.Get("stderr") == "true"}
	streams.ServeExec(w, r, k, "", "", q.Get("container"), q["command"], options, time.Minute, time.Minute, streams.SupportedStreamingProtocols)
}

//nolint:revive // kubelet's own interface
func (k kubelet) ExecInContainer(ctx context.Context, _, _, container string, cmd []string, in io.Reader, out, err io.WriteCloser, _ bool, _ <-chan streams.TerminalSize, _ time.Duration) error {
	switch cmd[0] {
	case "cat":
		_, copyErr := io.Copy(out, in)
		return copyErr
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "fail":
		_, _ = fmt.Fprintf(err, "%v in %s", cmd, container)
		return utilexec.CodeExitError{Err: fmt.Errorf("exit 7"), Code: 7}
	}
	return fmt.Errorf("no such command %q", cmd[0])
}

func (k kubelet) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(k)
	t.Cleanup(server.CloseClientConnections)
	c, err := New(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	return c
}

var anyPod = Ref{Namespace: "ns", Selector: "app=reviews"}

func TestExecCarriesTheStreamsAndTheExitCode(t *testing.T) {
	c := kubelet{pods: []corev1.Pod{pod("starting"), pod("serving", ready)}}.client(t)

	var out strings.Builder
	code, err := c.Exec(t.Context(), anyPod, []string{"cat"}, cluster.Streams{In: strings.NewReader(strings.Repeat("x", 300_000)), Out: &out})
	require.NoError(t, err)
	require.Zero(t, code)
	require.Len(t, out.String(), 300_000)

	var errs strings.Builder
	code, err = c.Exec(t.Context(), anyPod, []string{"fail", "a b"}, cluster.Streams{Err: &errs})
	require.NoError(t, err, "a command that fails is a result")
	require.Equal(t, 7, code)
	require.Equal(t, "[fail a b] in app", errs.String())
}

func TestExecSaysWhatCouldNotBeReached(t *testing.T) {
	c := kubelet{pods: []corev1.Pod{pod("serving", ready)}}.client(t)
	_, err := c.Exec(t.Context(), anyPod, []string{"nonsense"}, cluster.Streams{Out: io.Discard})
	require.ErrorContains(t, err, `exec "nonsense" in ns/serving container app`)

	_, err = c.Exec(t.Context(), Ref{Namespace: "ns", Selector: "a=b", Container: "istio-proxi"}, []string{"cat"}, cluster.Streams{})
	require.ErrorContains(t, err, `no container "istio-proxi": it has app, istio-proxy`)

	c = kubelet{pods: []corev1.Pod{pod("starting")}}.client(t)
	_, err = c.Exec(t.Context(), anyPod, []string{"cat"}, cluster.Streams{})
	require.ErrorIs(t, err, ErrNoPod)
	require.ErrorContains(t, err, "starting")
}

func TestExecEndsWithItsContext(t *testing.T) {
	c := kubelet{pods: []corev1.Pod{pod("serving", ready)}}.client(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Exec(ctx, anyPod, []string{"hang"}, cluster.Streams{Out: io.Discard})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAWorkloadThatNamesNothingSelectsNothing(t *testing.T) {
	c := kubelet{pods: []corev1.Pod{pod("serving", ready)}}.client(t)
	for says, ref := range map[string]Ref{
		"the namespace is empty":           {Selector: "app=a"},
		"neither a selector nor a pod":     {Namespace: "ns", Selector: " "},
		"a selector (app=a) and a pod are": {Namespace: "ns", Selector: "app=a", Pod: "p"},
		"selector:":                        {Namespace: "ns", Selector: "app=a=b"},
	} {
		_, err := c.Pods(t.Context(), ref)
		require.ErrorContains(t, err, says)
	}
}
