// Package archive writes container images as files that every runtime can
// import (`docker load`, `ctr images import`): layers from folders, bit for bit
// the same for the same content.
//
// It knows nothing of what is in the images.
package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Layer is a layer that is there as an uncompressed tar file: it is made and
// read on one machine, where compressing costs more than it saves.
type Layer struct {
	file string
	id   v1.Hash
	size int64
}

var _ v1.Layer = Layer{}

// Digest implements v1.Layer.
func (l Layer) Digest() (v1.Hash, error) { return l.id, nil }

// DiffID implements v1.Layer.
func (l Layer) DiffID() (v1.Hash, error) { return l.id, nil }

// Size implements v1.Layer.
func (l Layer) Size() (int64, error) { return l.size, nil }

// MediaType implements v1.Layer.
func (l Layer) MediaType() (types.MediaType, error) { return types.DockerUncompressedLayer, nil }

// Compressed implements v1.Layer.
func (l Layer) Compressed() (io.ReadCloser, error) { return os.Open(l.file) }

// Uncompressed implements v1.Layer.
func (l Layer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.file) }

// FromFolder writes everything below dir as a layer into file. Names, modes and
// owners count; times do not. Devices and sockets are left out: a runtime makes
// its own.
func FromFolder(ctx context.Context, dir, file string) (l Layer, err error) {
	out, err := os.Create(file)
	if err != nil {
		return l, err
	}
	sum := sha256.New()
	w := tar.NewWriter(io.MultiWriter(out, sum))
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		return add(w, path, filepath.ToSlash(name), d)
	})
	err = errors.Join(err, w.Close())
	size, seekErr := out.Seek(0, io.SeekEnd)
	if err = errors.Join(err, seekErr, out.Close()); err != nil {
		return l, fmt.Errorf("layer of %s: %w", dir, err)
	}
	return Layer{file: file, size: size, id: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}}, nil
}

// add writes one entry.
func add(w *tar.Writer, path, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	target := ""
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	case !info.Mode().IsRegular() && !info.IsDir():
		return nil
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	*header = tar.Header{
		Typeflag: header.Typeflag, Name: name, Linkname: target, Size: header.Size, Mode: header.Mode,
		Uid: int(owner.Uid), Gid: int(owner.Gid), Format: tar.FormatPAX,
	}
	if info.IsDir() {
		header.Name += "/"
	}
	if err := w.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// FromFile is a layer that was written before.
func FromFile(file string) (Layer, error) {
	f, err := os.Open(file)
	if err != nil {
		return Layer{}, err
	}
	defer func() { _ = f.Close() }()
	id, size, err := v1.SHA256(f)
	if err != nil {
		return Layer{}, fmt.Errorf("layer %s: %w", file, err)
	}
	return Layer{file: file, id: id, size: size}, nil
}
