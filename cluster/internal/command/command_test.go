package command_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/command"
)

func sh(script string) command.Command {
	return command.Command{Argv: []string{"/bin/sh", "-c", script}}
}

func TestStandardOutputIsReturnedAndErrorLinesAreToldAsTheyCome(t *testing.T) {
	c := sh("echo out; echo one >&2; printf two >&2")
	var lines []string
	c.Line = func(s string) { lines = append(lines, s) }
	out, err := command.Run(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, "out\n", out)
	assert.Equal(t, []string{"one", "two"}, lines)
}

func TestAFailureNamesCommandDirectoryExitCodeAndLastTwentyLines(t *testing.T) {
	dir := t.TempDir()
	c := sh("for i in $(seq 1 30); do echo line $i >&2; done; exit 3")
	c.Dir = dir
	_, err := command.Run(t.Context(), c)
	var f *command.Failure
	require.ErrorAs(t, err, &f)
	assert.Equal(t, 3, f.ExitCode)
	assert.Len(t, f.Tail, 20)
	for _, want := range []string{"/bin/sh -c", dir, "code 3", "line 11", "line 30"} {
		assert.Contains(t, err.Error(), want)
	}
	assert.NotContains(t, err.Error(), "line 10\n")
}

func TestAFailureThatSpokeOnlyOnStandardOutputIsStillQuoted(t *testing.T) {
	_, err := command.Run(t.Context(), sh("echo why; exit 1"))
	assert.ErrorContains(t, err, "why")
}

func TestAProgramThatIsNotThereIsNamed(t *testing.T) {
	_, err := command.Run(t.Context(), command.Command{Argv: []string{"no-such-program"}})
	assert.ErrorContains(t, err, "no-such-program")
	assert.ErrorContains(t, err, "not found")
}

func TestTheEndOfTheContextKillsTheWholeProcessGroup(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	c := sh("trap '' INT; sleep 60 & echo $! >" + pidFile + "; echo ready >&2; wait; sleep 60")
	c.Line = func(string) { cancel() }
	began := time.Now()
	_, err := command.Run(ctx, c)
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Eventually(t, func() bool { return gone(t, pidFile) }, 2*time.Second, 10*time.Millisecond)
}

// gone says whether the process of that pid file has ended; one that nobody
// has reaped yet has ended too.
func gone(t *testing.T, pidFile string) bool {
	t.Helper()
	raw, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(raw)) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAContextThatHasEndedStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := command.Run(ctx, sh("exit 0"))
	require.ErrorIs(t, err, context.Canceled)
}

func TestNewNamespacesAreGiven(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("new namespaces need root")
	}
	c := command.Command{Argv: []string{"cat", "/proc/net/dev"}, Cloneflags: syscall.CLONE_NEWNET}
	out, err := command.Run(t.Context(), c)
	require.NoError(t, err)
	assert.NotContains(t, out, "eth0")
}
