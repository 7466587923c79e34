package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// descriptionFile stands beside the rootfs directory of an image.
const descriptionFile = "image.json"

// description is the JSON of an image; an unknown field is an error, since a
// misspelt "entrypoint" would otherwise start nothing, much later.
type description struct {
	Names      []string `json:"names"`
	Entrypoint []string `json:"entrypoint,omitempty"`
	Cmd        []string `json:"cmd,omitempty"`
	Env        []string `json:"env,omitempty"`
	WorkingDir string   `json:"workingDir,omitempty"`
	User       string   `json:"user,omitempty"`
	StopSignal string   `json:"stopSignal,omitempty"`
}

// Dir is a Store over a directory with one sub-directory per image. It is read
// anew on every call, so images can be added while the node runs.
type Dir struct {
	path string

	mu    sync.Mutex
	sizes map[string]uint64
}

// OpenDir checks that every image below path is well-formed.
func OpenDir(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("image directory %s: %w", path, err)
	}
	d := &Dir{path: abs, sizes: map[string]uint64{}}
	if _, err := d.List(); err != nil {
		return nil, err
	}
	return d, nil
}

// Resolve implements Store.
func (d *Dir) Resolve(ref string) (Image, error) {
	images, err := d.List()
	if err != nil {
		return Image{}, err
	}
	return find(images, ref)
}

// List implements Store; the order is that of the sub-directories' names.
func (d *Dir) List() ([]Image, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("image directory: %w", err)
	}
	var images []Image
	for _, e := range entries {
		img, err := d.load(filepath.Join(d.path, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			// Half-written: an image counts once its description is there.
			continue
		}
		if err != nil {
			return nil, err
		}
		images = append(images, img)
	}
	return images, nil
}

func (d *Dir) load(dir string) (Image, error) {
	path := filepath.Join(dir, descriptionFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		return Image{}, fmt.Errorf("read image: %w", err)
	}
	var desc description
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&desc); err != nil {
		return Image{}, fmt.Errorf("image %s: %w", path, err)
	}
	if len(desc.Names) == 0 {
		return Image{}, fmt.Errorf("image %s: no names: pods could not ask for it", path)
	}
	rootfs := filepath.Join(dir, "rootfs")
	if info, err := os.Stat(rootfs); err != nil || !info.IsDir() {
		return Image{}, fmt.Errorf("image %s: there is no directory rootfs beside it", path)
	}
	sum := sha256.Sum256(append([]byte(dir+"\n"), raw...))
	img := Image{
		ID: "sha256:" + hex.EncodeToString(sum[:]), Rootfs: rootfs,
		Entrypoint: desc.Entrypoint, Cmd: desc.Cmd, Env: desc.Env,
		WorkingDir: desc.WorkingDir, User: desc.User, StopSignal: desc.StopSignal,
	}
	for _, n := range desc.Names {
		img.Names = append(img.Names, Canonical(n))
	}
	img.Size, err = d.size(img)
	return img, err
}

// size walks an image once; kubelet asks for it again and again.
func (d *Dir) size(img Image) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if size, ok := d.sizes[img.ID]; ok {
		return size, nil
	}
	var size uint64
	err := filepath.WalkDir(img.Rootfs, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += uint64(info.Size())
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("size of image %s: %w", img.Rootfs, err)
	}
	d.sizes[img.ID] = size
	return size, nil
}
