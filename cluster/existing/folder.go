package existing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	folderPrefix = "meshfed-existing-"
	// lockFile is locked for as long as the process that made the folder lives.
	lockFile = "lock"
)

// folder is a folder for kubeconfigs. They hold tokens and keys: what a process
// that is dead has left behind is taken away by the next one.
type folder struct {
	path string
	// unlock lets others take the folder away.
	unlock func() error
}

// newFolder makes one, and takes those away that belong to nobody any more.
func newFolder() (folder, error) {
	if err := sweep(); err != nil {
		return folder{}, err
	}
	path, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return folder{}, err
	}
	// The lock gets its name when it is held: nobody finds it free before.
	fresh := filepath.Join(path, "."+lockFile)
	unlock, err := lock(fresh, unix.O_CREAT|unix.O_EXCL)
	if err == nil {
		err = os.Rename(fresh, filepath.Join(path, lockFile))
	}
	if err != nil {
		return folder{}, errors.Join(fmt.Errorf("lock %s: %w", path, err), os.RemoveAll(path))
	}
	return folder{path: path, unlock: unlock}, nil
}

// remove is idempotent.
func (f folder) remove() error { return errors.Join(os.RemoveAll(f.path), f.unlock()) }

// sweep takes away this user's folders whose processes are dead. One that has no
// lock yet is about to be used.
func sweep() error {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range found {
		if !own(path) {
			continue
		}
		unlock, err := lock(filepath.Join(path, lockFile), 0)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.ENOENT):
			continue
		case err == nil:
			err = errors.Join(os.RemoveAll(path), unlock())
		}
		if err != nil {
			return fmt.Errorf("%s holds the kubeconfigs of a run that is dead; remove it: %w", path, err)
		}
	}
	return nil
}

// own says whether the path is a folder of this user: in a folder for all,
// somebody else's could lead anywhere.
func own(path string) bool {
	var info unix.Stat_t
	err := unix.Lstat(path, &info)
	return err == nil && info.Mode&unix.S_IFMT == unix.S_IFDIR && int(info.Uid) == os.Geteuid()
}

// lock opens a file and locks it, or fails at once. It is no os.File: one that
// nobody refers to any more is closed, and the kubeconfigs are used by their
// paths alone.
func lock(path string, flags int) (unlock func() error, err error) {
	fd, err := unix.Open(path, flags|unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return sync.OnceValue(func() error { return unix.Close(fd) }), nil
}
