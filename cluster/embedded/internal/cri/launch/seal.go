package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// New seals the binary at self[0] and returns a launcher that starts it with
// self as the first arguments. A root process in a container can open the
// binary of a process that joins it (/proc/PID/exe) and write to it; so it is
// started from a mount of its own that is read-only (CVE-2019-5736 is this story).
// The directory dir is used if a copy is needed.
func New(self []string, dir string) (*Launcher, error) {
	if len(self) == 0 {
		return nil, errors.New("seal the container binary: no command line for it is given")
	}
	f, err := sealedInPlace(self[0])
	if err != nil {
		// Its name means nothing here, or its mount belongs to another
		// namespace, if the file systems were changed after it was started.
		f, err = sealedCopy(self[0], filepath.Join(dir, "container"))
	}
	if err != nil {
		return nil, fmt.Errorf("seal the container binary %s: %w", self[0], err)
	}
	return &Launcher{binary: f, argv: self}, nil
}

// Close lets go of the binary. Processes that run it go on.
func (l *Launcher) Close() error { return l.binary.Close() }

func sealedInPlace(name string) (*os.File, error) {
	want, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, err
	}
	if found, err := os.Stat(path); err != nil || !os.SameFile(want, found) {
		return nil, fmt.Errorf("%s is another file by now", path)
	}
	return sealed(path)
}

func sealed(path string) (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("clone mount: %w", err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY, Attr_clr: unix.MOUNT_ATTR_NOEXEC}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make mount read-only: %w", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

func sealedCopy(from, to string) (*os.File, error) {
	in, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o700)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	return sealed(to)
}
