package toolchain

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/command"
)

// host is the machine as this package sees it; tests put a fake in its place.
type host struct {
	run      command.Runner
	lookPath func(string) (string, error)
	getenv   func(string) string
	environ  func() []string
	euid     func() int
	free     func(path string) (bytes int64, err error)
	cores    int
	arch     string
}

func realHost() host {
	return host{
		run:      command.Run,
		lookPath: exec.LookPath,
		getenv:   os.Getenv,
		environ:  os.Environ,
		euid:     os.Geteuid,
		free:     FreeBytes,
		cores:    runtime.GOMAXPROCS(0),
		arch:     runtime.GOARCH,
	}
}

// FreeBytes is how much a process may still write where path is, or, while it
// is not there, where its nearest existing parent is.
func FreeBytes(path string) (int64, error) {
	for {
		var fs unix.Statfs_t
		err := unix.Statfs(path, &fs)
		if err == nil {
			return int64(fs.Bavail) * fs.Bsize, nil
		}
		if err != unix.ENOENT || path == filepath.Dir(path) {
			return 0, fmt.Errorf("free space of %s: %w", path, err)
		}
		path = filepath.Dir(path)
	}
}
