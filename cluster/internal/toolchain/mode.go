package toolchain

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// shared lets everybody read and run what their owner can. The programs are made
// under root's own umask, which is 077 where a machine was hardened, and in a
// pod they are run by other users. It looks at what is in the cache as well:
// building that once more takes minutes.
func shared(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm()
		owners := mode & 0o500
		if wanted := mode | owners>>3 | owners>>6; wanted != mode {
			return os.Chmod(path, wanted)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tools: %w", err)
	}
	return nil
}
