package toolchain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/progress"
)

// Config says where tools come from and where they are kept.
type Config struct {
	// SourceDir is the root of this project's source tree, where go.mod is;
	// empty means the tree around the working directory.
	SourceDir string
	// CacheDir is where tools are kept; empty means "meshfed" in the user's
	// cache folder.
	CacheDir string
	// Progress is told what goes on; nil means nobody is.
	Progress progress.Reporter
}

// complete fills in what is empty.
func (c Config) complete() (Config, error) {
	var err error
	if c.SourceDir == "" {
		if c.SourceDir, err = FindSource("."); err != nil {
			return c, err
		}
	}
	if c.SourceDir, err = filepath.Abs(c.SourceDir); err != nil {
		return c, fmt.Errorf("source tree: %w", err)
	}
	if c.CacheDir == "" {
		if c.CacheDir, err = DefaultCacheDir(); err != nil {
			return c, err
		}
	}
	if c.CacheDir, err = filepath.Abs(c.CacheDir); err != nil {
		return c, fmt.Errorf("cache folder: %w", err)
	}
	if c.Progress == nil {
		c.Progress = progress.Silent()
	}
	return c, nil
}

func (c Config) toolsDir() string { return filepath.Join(c.CacheDir, "tools") }

// DefaultCacheDir is "meshfed" in the user's cache folder ($XDG_CACHE_HOME or
// $HOME/.cache).
func DefaultCacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache folder: %w: set HOME or XDG_CACHE_HOME", err)
	}
	return filepath.Join(dir, "meshfed"), nil
}

// FindSource is the root of the source tree that start lies in. The tools are
// built from the modules in it, so a conformance command that was copied away
// from its tree has nothing to build from.
func FindSource(start string) (string, error) {
	from, err := filepath.Abs(start)
	if err != nil {
		return "", fmt.Errorf("source tree: %w", err)
	}
	for dir := from; ; dir = filepath.Dir(dir) {
		raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.Contains("\n"+string(raw), "\nmodule "+mainModule+"\n") {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("source tree: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("source tree: neither %s nor a folder above it holds module %s: run this inside a clone of it", from, mainModule)
		}
	}
}
