package cri_test

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/remotecommand"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// resources are what a runtime leaks when it forgets something: each survives
// its pod only by a mistake.
func resources(t *testing.T) map[string]int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	processes, err := os.ReadDir("/proc")
	require.NoError(t, err)
	names := make([]string, 0, len(processes))
	for _, p := range processes {
		names = append(names, p.Name())
	}
	return map[string]int{
		"files": len(fds), "mounts": strings.Count(string(mounts), "\n"), "goroutines": runtime.NumGoroutine(),
		"processes": len(numbers(strings.Join(names, " "))), "links": len(podLinks(t)),
	}
}

func TestAPodLeavesNothingBehind(t *testing.T) {
	n := startNode(t)
	live := func(pid runtimeapi.NamespaceMode) {
		options := &runtimeapi.NamespaceOption{Pid: pid}
		pod, pc := n.pod(func(c *runtimeapi.PodSandboxConfig) { c.Linux.SecurityContext.NamespaceOptions = options })
		config := containerConfig("wait")
		config.Linux.SecurityContext.NamespaceOptions, config.Tty, config.Stdin = options, true, true
		b := n.runIn(pod, pc, config)
		assert.Zero(t, b.exec("payload", "both").code)
		_ = stream(t, b.execURL(true, true, "payload", "echo", "x"), remotecommand.StreamOptions{Stdin: strings.NewReader("x"), Stdout: io.Discard, Tty: true})
		broken := containerConfig()
		broken.Command, broken.Linux.SecurityContext.NamespaceOptions = []string{"nosuch"}, options
		f, err := n.create(pod, pc, broken)
		require.NoError(t, err)
		assert.Error(t, f.start())
		_, err = n.runtime.RemovePodSandbox(t.Context(), &runtimeapi.RemovePodSandboxRequest{PodSandboxId: pod})
		require.NoError(t, err)
	}
	live(runtimeapi.NamespaceMode_POD) // what is made once, at first use, is not a leak
	before := resources(t)
	for range 5 {
		live(runtimeapi.NamespaceMode_CONTAINER)
		live(runtimeapi.NamespaceMode_POD)
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for what, count := range resources(t) {
			// Fewer than one in a round: the test's own clients come and go.
			assert.Less(c, count, before[what]+5, what)
		}
	}, patience, 20*time.Millisecond)
}
