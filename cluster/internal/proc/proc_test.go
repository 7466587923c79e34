package proc_test

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/proc"
)

func start(t *testing.T, script string) *proc.Process {
	t.Helper()
	p, err := proc.Start(exec.CommandContext(t.Context(), "sh", "-c", script), "demo", t.TempDir())
	require.NoError(t, err)
	return p
}

func never(context.Context) error { return errors.New("connection refused") }

func TestACrashAtStartIsToldAtOnceWithCodeAndLastLines(t *testing.T) {
	p := start(t, "echo reading config; echo 'no such flag' >&2; exit 3")
	begun := time.Now()
	err := p.Until(t.Context(), 5*time.Millisecond, never)
	require.Error(t, err)
	assert.Less(t, time.Since(begun), 5*time.Second)
	assert.Contains(t, err.Error(), "exit status 3")
	assert.Contains(t, err.Error(), "no such flag")
	assert.NotContains(t, err.Error(), "deadline")
}

func TestAProgramThatEndsWellTooEarlyIsAtFaultToo(t *testing.T) {
	p := start(t, "true")
	assert.ErrorContains(t, p.Until(t.Context(), time.Millisecond, never), "exit code 0")
}

func TestAWaitThatEndsSaysWhatItSawLast(t *testing.T) {
	p := start(t, "echo still loading; exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := p.Until(ctx, 5*time.Millisecond, never)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "connection refused")
	assert.ErrorContains(t, err, "still loading")
}

func TestOnlyTheLastLinesOfALongLogAreTold(t *testing.T) {
	p := start(t, "seq 1 100000; exit 1")
	err := p.Err()
	assert.ErrorContains(t, err, "100000")
	assert.NotContains(t, err.Error(), "  99000\n")
}
