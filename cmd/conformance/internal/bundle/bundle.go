// Package bundle packs a folder into one archive. It must not know what is in
// it: what may not leave the machine is kept out of the folder.
package bundle

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write packs the files below dir into a gzipped tar at path, which only its
// owner can read: logs are nobody else's business before somebody has looked.
func Write(path, dir string) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = fmt.Errorf("write bundle: %w", errors.Join(err, os.Remove(path)))
		}
	}()
	packed := gzip.NewWriter(file)
	archive := tar.NewWriter(packed)
	return errors.Join(archive.AddFS(os.DirFS(dir)), archive.Close(), packed.Close())
}

// Files are the names and contents of an archive, for those who check it.
func Files(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", path, err)
	}
	files := map[string]string{}
	archive := tar.NewReader(unpacked)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read bundle %s: %w", path, err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, fmt.Errorf("read bundle %s: %w", path, err)
		}
		files[filepath.ToSlash(header.Name)] = string(content)
	}
}
