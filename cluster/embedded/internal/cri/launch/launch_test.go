package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes mounts and namespaces")
	}
}

// launcherOf starts a shell in place of the container's inside.
func launcherOf(t *testing.T, script string) *Launcher {
	t.Helper()
	needRoot(t)
	l, err := New([]string{"/bin/sh", "-c", script}, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

func TestABinaryCannotBeChangedThroughAProcessThatRunsIt(t *testing.T) {
	needRoot(t)
	path := filepath.Join(t.TempDir(), "binary")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o755))
	l, err := New([]string{path}, t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	_, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", l.binary.Fd()), os.O_WRONLY, 0)
	assert.ErrorIs(t, err, unix.EROFS)
}

func TestABinaryWithoutANameIsCopied(t *testing.T) {
	needRoot(t)
	path := filepath.Join(t.TempDir(), "binary")
	require.NoError(t, os.WriteFile(path, []byte("content"), 0o755))
	open, err := os.Open(path)
	require.NoError(t, err)
	defer open.Close()
	require.NoError(t, os.Remove(path))
	dir := t.TempDir()
	l, err := New([]string{fmt.Sprintf("/proc/self/fd/%d", open.Fd())}, dir)
	require.NoError(t, err)
	defer l.Close()
	copied, err := os.ReadFile(filepath.Join(dir, "container"))
	require.NoError(t, err)
	assert.Equal(t, "content", string(copied))
	_, err = New([]string{path}, dir)
	assert.ErrorContains(t, err, "no such file")
	_, err = New(nil, dir)
	assert.ErrorContains(t, err, "no command line")
}

func TestAnInsideThatDiesIsReportedAsThat(t *testing.T) {
	_, err := launcherOf(t, "exit 3").Start(t.Context(), Request{Mode: container.ModeInit})
	assert.ErrorContains(t, err, `it died before its command ran; its last report was "none"`)
}

func TestAnInsideThatHangsIsKilledWithItsStart(t *testing.T) {
	l := launcherOf(t, "exec sleep 100")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := l.Start(ctx, Request{Mode: container.ModeInit, NewPID: true})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestTheEndOfAProcessIsKnown(t *testing.T) {
	for script, want := range map[string]int{"exit 3": 3, "kill -9 $$": 128 + 9} {
		// In this mode nothing is reported, and so nothing waited for.
		p, err := launcherOf(t, script).Start(t.Context(), Request{Mode: container.ModePause})
		require.NoError(t, err)
		<-p.Done()
		assert.Equal(t, want, p.ExitCode(), script)
		assert.False(t, p.Running())
		assert.NoError(t, p.Signal(unix.SIGTERM), "a process that has ended is signalled in vain")
		p.KillGroup()
	}
}

func TestOurEndOfAPipeCanBeClosedUnderAReader(t *testing.T) {
	ours, theirs, err := OutputPipe()
	require.NoError(t, err)
	defer theirs.Close()
	ended := make(chan error)
	go func() {
		_, err := io.ReadAll(ours)
		ended <- err
	}()
	_, err = theirs.WriteString("x")
	require.NoError(t, err)
	require.NoError(t, ours.Close())
	select {
	case err := <-ended:
		assert.True(t, errors.Is(err, os.ErrClosed), err)
	case <-time.After(10 * time.Second):
		assert.Fail(t, "the read goes on")
	}
}

// Programs in C treat EAGAIN from their standard output as a failure.
func TestTheContainersEndOfAPipeBlocks(t *testing.T) {
	ours, theirs, err := OutputPipe()
	require.NoError(t, err)
	defer ours.Close()
	defer theirs.Close()
	flags, err := unix.FcntlInt(theirs.Fd(), unix.F_GETFL, 0)
	require.NoError(t, err)
	assert.Zero(t, flags&unix.O_NONBLOCK)
}
