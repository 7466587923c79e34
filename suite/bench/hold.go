package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	files []*os.File
}

// Take takes the lab, or fails at once with an error that wraps ErrBusy and
// says who has it.
func Take(lab cluster.Lab) (*Hold, error) { return hold(lab, lockNow) }

// Await takes the lab as soon as it is free, at most until ctx ends.
func Await(ctx context.Context, lab cluster.Lab) (*Hold, error) {
	return hold(lab, func(file *os.File) error { return lockBy(ctx, file) })
}

// hold locks all that the lab is, in an order that is the same for every lab:
// two runs that want some of the same do not wait for each other.
func hold(lab cluster.Lab, lock func(*os.File) error) (*Hold, error) {
	h := &Hold{}
	for _, place := range placesOf(lab) {
		file, err := openHold(lab.Provider(), place)
		if err == nil {
			err = lock(file)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lab %s: lock: %w", lab.Name(), err), h.Release())
		}
		note(file)
		h.files = append(h.files, file)
	}
	return h, nil
}

// placesOf are the names of what may not be used twice, sorted. The clusters of
// somebody may be in many labs.
func placesOf(lab cluster.Lab) []string {
	borrowed, is := lab.(cluster.Borrower)
	if !is {
		return []string{lab.Name()}
	}
	return slices.Sorted(slices.Values(borrowed.Places()))
}

// lockNow closes a file that it cannot lock.
func lockNow(file *os.File) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return nil
	}
	holder, _ := os.ReadFile(file.Name())
	return errors.Join(fmt.Errorf("%w (process %s): wait for it, or use another lab", ErrBusy, strings.TrimSpace(string(holder))), file.Close())
}

// lockBy waits for the lock, at most until ctx ends.
func lockBy(ctx context.Context, file *os.File) error {
	got := make(chan error, 1)
	go func() { got <- unix.Flock(int(file.Fd()), unix.LOCK_EX) }()
	select {
	case err := <-got:
		if err != nil {
			return errors.Join(err, file.Close())
		}
		return nil
	case <-ctx.Done():
		// The lock may still come; it goes with the file.
		go closeAfter(got, file)
		return fmt.Errorf("%w: %w", ErrBusy, context.Cause(ctx))
	}
}

// closeAfter gives back a lock that came too late, or never came.
func closeAfter(got <-chan error, file *os.File) {
	late := <-got
	_ = errors.Join(late, file.Close())
}

// Release gives the lab back.
func (h *Hold) Release() error {
	var errs []error
	for _, file := range h.files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

func openHold(provider, place string) (*os.File, error) {
	name := fmt.Sprintf("meshfed-%d-%s-%s.lock", os.Getuid(), provider, place)
	return os.OpenFile(filepath.Join(os.TempDir(), name), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
}

// note says who has a lock, for the error of the next one; that it cannot be
// noted takes nothing from the lock.
func note(file *os.File) {
	_ = file.Truncate(0)
	_, _ = file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
}
