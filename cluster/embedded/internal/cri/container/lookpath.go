package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lookPath finds the command as the container's user and in the container's
// PATH. The errors are worded as runc words them: people search for that text.
func lookPath(command string, env []string) (string, error) {
	if strings.Contains(command, "/") {
		if err := executable(command); err != nil {
			return "", fmt.Errorf("exec: %q: %w", command, err)
		}
		return command, nil
	}
	path, _ := lookEnv(env, "PATH")
	var denied error
	for _, dir := range filepath.SplitList(path) {
		candidate := filepath.Join(dir, command)
		err := executable(candidate)
		if err == nil {
			return candidate, nil
		}
		if errors.Is(err, fs.ErrPermission) {
			denied = fmt.Errorf("exec: %q: %s: %w", command, candidate, err)
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", fmt.Errorf("exec: %q: executable file not found in $PATH", command)
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.New("is a directory")
	}
	// AT_EACCESS: the ids that execve would check.
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS); err != nil {
		return fs.ErrPermission
	}
	return nil
}
