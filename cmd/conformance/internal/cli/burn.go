package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const (
	// burnCommand is what this program is started as to keep cores busy.
	burnCommand = "burn-cpu"
	// burnLimit ends a burner whatever happens to who started it.
	burnLimit = 15 * time.Minute
)

// burner keeps every core busy. It is a process of its own, since the scheduler
// of this one would otherwise make the harness wait, and not the meshes.
func burner() *cobra.Command {
	return &cobra.Command{
		Use: burnCommand, Hidden: true, Args: cobra.NoArgs,
		Short: "Keep every core busy until the time is over",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), burnLimit)
			defer cancel()
			for range runtime.NumCPU() {
				go spin(ctx)
			}
			<-ctx.Done()
			return nil
		},
	}
}

func spin(ctx context.Context) {
	const often = 1 << 20
	for ctx.Err() == nil {
		for range often {
		}
	}
}

// burn starts a burner; stop ends it and waits for its end.
func burn(ctx context.Context) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("burn: %w", err)
	}
	c := exec.CommandContext(ctx, self, burnCommand)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// Pdeathsig is of the thread that starts it.
	runtime.LockOSThread()
	if err := c.Start(); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("burn: %w", err)
	}
	return func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		runtime.UnlockOSThread()
	}, nil
}
