package container

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// checkShared refuses what could not work: mounts cross to the node and back
// only if the source lies on a mount that is shared (or, one way, a slave).
func checkShared(m Mount) error {
	if m.Propagation != Bidirectional {
		return nil
	}
	source, err := filepath.EvalSymlinks(m.Source)
	if errors.Is(err, os.ErrNotExist) {
		source, err = m.Source, nil
	}
	if err != nil {
		return err
	}
	optional, err := propagationOf(source)
	if err != nil {
		return err
	}
	if !strings.Contains(optional, "shared:") {
		return fmt.Errorf("path %q is not on a shared mount", m.Source)
	}
	return nil
}

// propagationOf reads the optional fields of the mount that a path lies on
// (proc_pid_mountinfo(5): they stand between field 6 and a lone dash).
func propagationOf(path string) (string, error) {
	f, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return "", err
	}
	defer f.Close()
	best, optional := -1, ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 7 {
			continue
		}
		at := strings.TrimSuffix(fields[4], "/") + "/"
		if len(at) < best || !strings.HasPrefix(path+"/", at) {
			continue
		}
		rest, _, _ := strings.Cut(strings.Join(fields[6:], " "), "- ")
		best, optional = len(at), rest
	}
	return optional, nil
}
