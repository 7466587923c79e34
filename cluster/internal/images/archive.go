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

// Archives returns one file with all images of a folder that Ensure made, fit
// for `docker load` and `ctr images import`, writing it if it is not there yet.
func Archives(ctx context.Context, folder, cacheDir string) (string, error) {
	name := filepath.Base(folder)
	kind, key, _ := cutLast(name, "-")
	e := cachedir.Entry{Root: filepath.Join(cacheDir, "images"), Name: kind + "-archive", Key: key}
	dir, err := cachedir.Make(ctx, e, nil, func(ctx context.Context, dir string) error {
		return writeArchive(ctx, folder, dir)
	})
	return filepath.Join(dir, archiveFile), err
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

const archiveFile = "images.tar"

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func writeArchive(ctx context.Context, folder, dir string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	var list []archive.Image
	for _, e := range entries {
		image, err := layered(ctx, filepath.Join(folder, e.Name()), filepath.Join(dir, e.Name()+".layer"))
		if err != nil {
			return fmt.Errorf("image %s: %w", e.Name(), err)
		}
		list = append(list, image)
	}
	if err := archive.Write(filepath.Join(dir, archiveFile), list...); err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name()+".layer")); err != nil {
			return fmt.Errorf("images: %w", err)
		}
	}
	return nil
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
