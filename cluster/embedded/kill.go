package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster"
)

// Kill implements cluster.Faulter. The node starts what was killed again.
func (n *member) Kill(ctx context.Context, p cluster.Part) error {
	if err := n.kill(ctx, p); err != nil {
		return fmt.Errorf("cluster %s: kill %s: %w", n.name, p, err)
	}
	return nil
}

func (n *member) kill(ctx context.Context, p cluster.Part) error {
	if p == cluster.Everything {
		return errors.New("a node that is killed does not come back: pause it")
	}
	pid, err := n.process(p)
	if err != nil {
		return err
	}
	// By a file of the process: its number may be somebody else's in a moment.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return awaitEnd(ctx, fd)
}

// awaitEnd returns when the process is dead: its file can be read then.
func awaitEnd(ctx context.Context, pidfd int) error {
	const slice = 100 * time.Millisecond
	for ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(slice.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for its end: %w", err)
		case n > 0:
			return nil
		}
	}
	return fmt.Errorf("wait for its end: %w", context.Cause(ctx))
}
