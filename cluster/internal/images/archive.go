package images

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/meshfed/meshfed/cluster/internal/archive"
	"github.com/meshfed/meshfed/cluster/internal/cachedir"
)

// Archives returns a file for each image of a folder that Ensure made, fit for
// `docker load` and `ctr images import`, writing those that are not there yet.
// Each is kept by its own image's key: another fixture leaves Istio's alone.
func Archives(ctx context.Context, folder, cacheDir string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	var files []string
	for _, entry := range entries {
		made, err := filepath.EvalSymlinks(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("images: %w", err)
		}
		name, key, _ := cutLast(filepath.Base(made), "-")
		e := cachedir.Entry{Root: filepath.Join(cacheDir, "images"), Name: name + "-archive", Key: hash([]byte(archiveLayout + key))}
		dir, err := cachedir.Make(ctx, e, nil, func(ctx context.Context, dir string) error {
			return writeArchive(ctx, made, dir)
		})
		if err != nil {
			return nil, err
		}
		files = append(files, filepath.Join(dir, archiveFile))
	}
	return files, nil
}

// Names are the names of the images of a folder that Ensure made.
func Names(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	var names []string
	for _, e := range entries {
		d, err := describe(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", e.Name(), err)
		}
		names = append(names, d.Names...)
	}
	return names, nil
}

func describe(dir string) (d Description, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, "image.json"))
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(raw, &d)
}

const archiveFile = "image.tar"

// archiveLayout is part of every archive's key; it changes when the way in which
// images become archives does. Those of the first, "", may hold programs that
// none but root can run.
const archiveLayout = "2"

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func writeArchive(ctx context.Context, made, dir string) error {
	layer := filepath.Join(dir, "layer.tar")
	image, err := layered(ctx, made, layer)
	if err != nil {
		return fmt.Errorf("image %s: %w", filepath.Base(made), err)
	}
	if err := archive.Write(filepath.Join(dir, archiveFile), image); err != nil {
		return err
	}
	return os.Remove(layer)
}

// layered is the image of one folder, its root file system as a layer in file.
func layered(ctx context.Context, dir, file string) (archive.Image, error) {
	d, err := describe(dir)
	if err != nil {
		return archive.Image{}, err
	}
	layer, err := archive.FromFolder(ctx, filepath.Join(dir, "rootfs"), file)
	if err != nil {
		return archive.Image{}, err
	}
	return archive.Image{
		Names: d.Names, Layers: []archive.Layer{layer},
		Config: v1.Config{Entrypoint: d.Entrypoint, Cmd: d.Cmd, Env: d.Env, WorkingDir: d.WorkingDir, User: d.User},
	}, nil
}
