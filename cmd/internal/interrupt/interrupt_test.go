package interrupt_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cmd/internal/interrupt"
)

const deadline = 10 * time.Second

func send(t *testing.T, s syscall.Signal) {
	t.Helper()
	require.NoError(t, syscall.Kill(os.Getpid(), s))
}

// cause is what has ended the context.
func cause(ctx context.Context, t *testing.T) string {
	t.Helper()
	select {
	case <-ctx.Done():
		return context.Cause(ctx).Error()
	case <-time.After(deadline):
		require.Fail(t, "no signal has ended it")
		return ""
	}
}

// A command that dies with its terminal leaves all that it has made behind.
func TestAClosedTerminalEndsACommandInGoodOrder(t *testing.T) {
	// These tests may be run under nohup themselves.
	heard := make(chan os.Signal, 2)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	ctx, release := interrupt.Context(t.Context())
	defer release()
	// Signals are delivered in the order of their numbers: what comes behind the
	// second hang-up says that it has been survived.
	behind := make(chan os.Signal, 1)
	signal.Notify(behind, syscall.SIGUSR1)
	defer signal.Stop(behind)
	send(t, syscall.SIGHUP)
	assert.Contains(t, cause(ctx, t), "hangup")
	send(t, syscall.SIGHUP)
	send(t, syscall.SIGUSR1)
	select {
	case <-behind:
	case <-time.After(deadline):
		require.Fail(t, "the signal behind the hang-up has not come")
	}
}

func TestACommandUnderNohupOutlivesItsTerminal(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	ctx, release := interrupt.Context(t.Context())
	defer release()
	assert.True(t, signal.Ignored(syscall.SIGHUP))
	send(t, syscall.SIGHUP)
	send(t, syscall.SIGTERM)
	assert.Contains(t, cause(ctx, t), "terminated")
}
