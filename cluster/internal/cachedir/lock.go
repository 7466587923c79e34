package cachedir

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the file's exclusive lock, which the kernel drops when the
// process ends in whatever way. waiting is called once if another holds it.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	unlock = func() { _ = f.Close() }
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		if waiting != nil {
			waiting()
		}
		return unlock, waitForLock(ctx, f)
	}
	if err != nil {
		unlock()
		return nil, fmt.Errorf("cache: lock %s: %w", path, err)
	}
	return unlock, nil
}

// waitForLock blocks until the lock is ours or ctx ends. The system call
// cannot be cancelled: if ctx ends first, the goroutine that is left takes the
// lock at some time and lets go of it at once.
func waitForLock(ctx context.Context, f *os.File) error {
	got := make(chan error, 1)
	go func() { got <- flock(f, unix.LOCK_EX) }()
	select {
	case err := <-got:
		if err != nil {
			_ = f.Close()
			return fmt.Errorf("cache: lock %s: %w", f.Name(), err)
		}
		return nil
	case <-ctx.Done():
		go func() {
			late := <-got
			_ = errors.Join(late, f.Close())
		}()
		return fmt.Errorf("waiting for another run to finish (lock %s): %w", f.Name(), ctx.Err())
	}
}

// flock retries when a signal interrupts it.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
