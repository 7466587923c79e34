package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// cgroupParent is the control group of all of the engine's containers, in
// every hierarchy.
const cgroupParent = "/meshfed-kind"

// removeCgroups removes the groups of containers that are gone. A group that
// still has a process stays, and is an error.
func removeCgroups() error {
	var errs []error
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		roots, err := filepath.Glob(pattern + cgroupParent)
		errs = append(errs, err)
		for _, root := range roots {
			errs = append(errs, removeGroup(root))
		}
	}
	return errors.Join(errs...)
}

// removeGroup removes groups from the leaves up: only rmdir works there.
func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeGroup(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
