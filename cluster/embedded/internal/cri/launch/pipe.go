package launch

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OutputPipe is a pipe from a container to its runtime. Only our end is
// non-blocking, so that closing it ends a read; the container's end must block
// as programs expect, or a burst of output fails with EAGAIN.
func OutputPipe() (ours, theirs *os.File, err error) {
	r, w, err := pipe()
	if err != nil {
		return nil, nil, err
	}
	return ourEnd(r), os.NewFile(uintptr(w), "output"), nil
}

// InputPipe is a pipe from the runtime to a container.
func InputPipe() (theirs, ours *os.File, err error) {
	r, w, err := pipe()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(r), "input"), ourEnd(w), nil
}

func pipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return 0, 0, fmt.Errorf("make pipe: %w", err)
	}
	return fds[0], fds[1], nil
}

func ourEnd(fd int) *os.File {
	// It fails for bad descriptors only, and this one is new.
	_ = unix.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), "pipe")
}
