package embedded

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/decoder"
	"sigs.k8s.io/e2e-framework/klient/k8s"
	"sigs.k8s.io/e2e-framework/klient/wait"

	apiwait "k8s.io/apimachinery/pkg/util/wait"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shell is an image that has one; any other of the lab has only its program.
const shell = "meshfed.local/proxyv2:dev"

// person is somebody with kubectl, a client, and a namespace of her own.
type person struct {
	t          *testing.T
	kubectlBin string
	kubeconfig string
	namespace  string
	client     klient.Client
}

// kubectl runs a command that has to succeed and returns what it printed.
func (p person) kubectl(arguments ...string) string {
	p.t.Helper()
	out, err := p.try(arguments...)
	require.NoError(p.t, err, "kubectl %s: %s", strings.Join(arguments, " "), out)
	return out
}

func (p person) try(arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	out, err := p.command(ctx, arguments...).CombinedOutput()
	return string(out), err
}

func (p person) command(ctx context.Context, arguments ...string) *exec.Cmd {
	return exec.CommandContext(ctx, p.kubectlBin, append([]string{"--kubeconfig", p.kubeconfig, "-n", p.namespace}, arguments...)...)
}

// create decodes manifests into the person's namespace and creates them.
func (p person) create(manifests string) {
	p.t.Helper()
	err := decoder.DecodeEach(p.t.Context(), strings.NewReader(manifests),
		decoder.CreateHandler(p.client.Resources(p.namespace)), decoder.MutateNamespace(p.namespace))
	require.NoError(p.t, err)
}

// waitFor waits for a condition of klient, and on its end shows what is there.
func (p person) waitFor(condition apiwait.ConditionWithContextFunc, within time.Duration) {
	p.t.Helper()
	err := wait.For(condition, wait.WithContext(p.t.Context()), wait.WithImmediate(), wait.WithInterval(200*time.Millisecond), wait.WithTimeout(within))
	if err != nil {
		state, _ := p.try("describe", "pods")
		require.NoError(p.t, err, "%s", state)
	}
}

// sh is a pod that runs a script, and its restart policy.
func sh(name, script, policy string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, labels: {app: %[1]s}}
spec:
  restartPolicy: %s
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: %s
    command: [bash, -c, %q]
`, name, policy, shell, script)
}

func (p person) pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: p.namespace}}
}

// podIs is a condition on a pod.
func podIs(fits func(*corev1.Pod) bool) func(k8s.Object) bool {
	return func(o k8s.Object) bool {
		pod, is := o.(*corev1.Pod)
		return is && fits(pod)
	}
}

// get asks over HTTP from within a pod that has a shell.
func (p person) get(pod, host string, port int, path string) (string, error) {
	return p.try("exec", pod, "--", "bash", "-c", fmt.Sprintf(
		`exec 3<>/dev/tcp/%s/%d && printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' >&3 && cat <&3`, host, port, path, host))
}

func writeScript(t *testing.T, command string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nexec "+command+"\n"), 0o700))
	return path
}

// onATerminal runs a command of the person's with a terminal of its own.
func (p person) onATerminal(input string, arguments ...string) string {
	p.t.Helper()
	if _, err := exec.LookPath("script"); err != nil {
		p.t.Skip("there is no `script` (package bsdutils) here to make a terminal")
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	inner := writeScript(p.t, quoteAll(p.command(ctx, arguments...).Args))
	cmd := exec.CommandContext(ctx, "script", "--quiet", "--return", "--command", inner, "/dev/null")
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(p.t, cmd.Run(), "%s", &out)
	return out.String()
}

func quoteAll(arguments []string) string {
	quoted := make([]string, len(arguments))
	for i, a := range arguments {
		quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}
