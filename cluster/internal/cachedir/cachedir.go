// Package cachedir keeps directories that are costly to make: each is made
// once, by one process, and is either whole or not there at all.
//
// It knows nothing of what is in them. An entry is named by what it is and by
// a key that says what it was made from; a new key makes a new entry, and old
// ones are swept when nobody has asked for them in a fortnight.
package cachedir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/sys/unix"
)

// unusedFor is how long an entry of another key is kept. Switching between two
// branches must not build everything each time; a year of old versions must
// not fill the disk.
const unusedFor = 14 * 24 * time.Hour

// Entry names one directory of the cache.
type Entry struct {
	// Root is the folder of entries; it is made if need be.
	Root string
	// Name says what the entry is ("kubernetes"): one per lock.
	Name string
	// Key says what it was made from: lower-case hexadecimal digits.
	Key string
}

// Path is where the entry is, or would be.
func (e Entry) Path() string { return filepath.Join(e.Root, e.Name+"-"+e.Key) }

// Exists says whether the entry is there; if so it is whole.
func (e Entry) Exists() bool {
	info, err := os.Stat(e.Path())
	return err == nil && info.IsDir()
}

// Fill makes an entry's content in an empty directory that is on the same file
// system as the entry.
type Fill func(ctx context.Context, dir string) error

// Make returns the entry's path, calling fill if it is not there. Of several
// processes that want the same entry one fills it; the others call waiting (if
// set) and wait. If fill fails or ctx ends, nothing is left.
func Make(ctx context.Context, e Entry, waiting func(), fill Fill) (string, error) {
	if e.Exists() {
		e.touch()
		return e.Path(), nil
	}
	if err := os.MkdirAll(e.Root, 0o755); err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(e.Root, "."+e.Name+".lock"), waiting)
	if err != nil {
		return "", err
	}
	defer unlock()
	if e.Exists() { // made while we waited
		return e.Path(), nil
	}
	if err := e.make(ctx, fill); err != nil {
		return "", err
	}
	return e.Path(), e.sweep(time.Now())
}

// make fills a directory beside the entry and renames it. The caller holds the
// lock, so what an earlier killed process left half-made can go.
func (e Entry) make(ctx context.Context, fill Fill) error {
	half := filepath.Join(e.Root, "."+e.Name+".half")
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	if err := os.Mkdir(half, 0o755); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	err := fill(ctx, half)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = syncFileSystem(half)
	}
	if err == nil {
		err = os.Rename(half, e.Path())
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(half))
	}
	return nil
}

// syncFileSystem makes the content durable before the rename that publishes
// it: after a power cut an entry full of empty files would pass for whole.
func syncFileSystem(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return fmt.Errorf("cache: sync %s: %w", dir, err)
	}
	return nil
}

// touch tells sweep that the entry is in use. Its failure only costs a build.
func (e Entry) touch() {
	now := time.Now()
	_ = os.Chtimes(e.Path(), now, now)
}

// sweep removes entries of the same name and another key that nobody has
// touched for a fortnight.
func (e Entry) sweep(now time.Time) error {
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(e.Name) + `-[0-9a-f]+$`)
	entries, err := os.ReadDir(e.Root)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	for _, d := range entries {
		if !ours.MatchString(d.Name()) || d.Name() == filepath.Base(e.Path()) {
			continue
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && now.Sub(info.ModTime()) > unusedFor {
			err = os.RemoveAll(filepath.Join(e.Root, d.Name()))
		}
		if err != nil {
			return fmt.Errorf("cache: sweep: %w", err)
		}
	}
	return nil
}
