package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster"
)

// ErrBusy means that another run uses the lab. Scenarios of two runs would
// find each other's declarations, and both be wrong.
var ErrBusy = errors.New("the lab is in use by another run")

// Hold is the right to use a lab alone on this machine. The kernel ends it
// with the process, however that ends.
type Hold struct {
	file *os.File
}

// Take takes the lab, or fails at once with an error that wraps ErrBusy and
// says who has it.
func Take(lab cluster.Lab) (*Hold, error) {
	file, err := openHold(lab)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(file.Name())
		_ = file.Close()
		return nil, fmt.Errorf("lab %s: %w (process %s): wait for it, or use a lab of another name",
			lab.Name(), ErrBusy, strings.TrimSpace(string(holder)))
	}
	return holding(file), nil
}

// Await takes the lab as soon as it is free, at most until ctx ends.
func Await(ctx context.Context, lab cluster.Lab) (*Hold, error) {
	file, err := openHold(lab)
	if err != nil {
		return nil, err
	}
	got := make(chan error, 1)
	go func() { got <- unix.Flock(int(file.Fd()), unix.LOCK_EX) }()
	select {
	case err := <-got:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lab %s: lock: %w", lab.Name(), err), file.Close())
		}
		return holding(file), nil
	case <-ctx.Done():
		// The lock may still come; it goes with the file.
		go closeAfter(got, file)
		return nil, fmt.Errorf("lab %s: %w: %w", lab.Name(), ErrBusy, context.Cause(ctx))
	}
}

// closeAfter gives back a lock that came too late, or never came.
func closeAfter(got <-chan error, file *os.File) {
	late := <-got
	_ = errors.Join(late, file.Close())
}

// Release gives the lab back.
func (h *Hold) Release() error { return h.file.Close() }

func openHold(lab cluster.Lab) (*os.File, error) {
	name := fmt.Sprintf("meshfed-%d-%s-%s.lock", os.Getuid(), lab.Provider(), lab.Name())
	file, err := os.OpenFile(filepath.Join(os.TempDir(), name), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lab %s: lock: %w", lab.Name(), err)
	}
	return file, nil
}

// holding notes who has the lab, for the error of the next one; that it cannot
// be noted takes nothing from the lock.
func holding(file *os.File) *Hold {
	_ = file.Truncate(0)
	_, _ = fmt.Fprintf(file, "%d\n", os.Getpid())
	return &Hold{file: file}
}
