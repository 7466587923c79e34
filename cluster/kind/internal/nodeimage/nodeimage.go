// Package nodeimage makes the image of a kind node without pulling anything:
// Debian's packages, kind's own files from its Go module, and programs and
// control-plane images that were built here.
//
// It knows what a node of kind is made of; it must not know of labs, engines
// or meshes.
package nodeimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/meshfed/meshfed/cluster/internal/archive"
	"github.com/meshfed/meshfed/cluster/internal/cachedir"
	"github.com/meshfed/meshfed/cluster/internal/images"
	"github.com/meshfed/meshfed/cluster/internal/progress"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// layout is part of every key; it changes when the way in which inputs become
// files does.
const layout = "1"

// Inputs are what the image is made from.
type Inputs struct {
	// Lab are the lab's tools, Node those of toolchain.EnsureNode.
	Lab, Node toolchain.Tools
	CacheDir  string
	Progress  progress.Reporter
}

// Image is a node image that is there.
type Image struct {
	// Name is its reference; another content has another name.
	Name string
	// Archive is the file to load it from.
	Archive string
}

// Packages are what making the image takes of this machine.
func Packages() []toolchain.HostPackage {
	return []toolchain.HostPackage{
		{Name: "debootstrap", Programs: []string{"debootstrap"}, Why: "the kind node's system is made with it"},
	}
}

// Ensure returns the image, making it if it is not there. It needs root.
func Ensure(ctx context.Context, in Inputs) (Image, error) {
	base, err := in.debian(ctx)
	if err != nil {
		return Image{}, fmt.Errorf("kind node: %w", err)
	}
	folder, err := images.EnsureControlPlane(ctx, in.Lab, in.Node, in.CacheDir)
	if err != nil {
		return Image{}, fmt.Errorf("kind node: %w", err)
	}
	core, err := images.Archives(ctx, folder, in.CacheDir)
	if err != nil {
		return Image{}, fmt.Errorf("kind node: %w", err)
	}
	key, err := in.key(base, folder)
	if err != nil {
		return Image{}, fmt.Errorf("kind node: %w", err)
	}
	image := Image{Name: "meshfed.local/kind-node:" + key}
	e := cachedir.Entry{Root: in.root(), Name: "kind-node", Key: key}
	dir, err := cachedir.Make(ctx, e, nil, func(ctx context.Context, dir string) error {
		return in.write(ctx, image.Name, base, core, dir)
	})
	if err != nil {
		return Image{}, fmt.Errorf("kind node: %w", err)
	}
	image.Archive = filepath.Join(dir, "node.tar")
	return image, nil
}

func (in Inputs) root() string { return filepath.Join(in.CacheDir, "images") }

// key hashes all that the image is made of.
func (in Inputs) key(base, folder string) (string, error) {
	parts := []string{layout, filepath.Base(base), filepath.Base(folder), filepath.Base(filepath.Dir(in.Node.NodeFiles))}
	for _, tool := range toolchain.NodeTools() {
		parts = append(parts, in.Node.Identity(tool))
	}
	parts = append(parts, in.Lab.Identity(toolchain.Kubelet), in.Lab.Identity(toolchain.Kubectl))
	texts, err := ownFiles()
	if err != nil {
		return "", err
	}
	return keyOf(append(parts, texts...)...), nil
}

func keyOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:12]
}

// write makes the layers and puts them together; only the archive stays.
func (in Inputs) write(ctx context.Context, name, base string, core []string, dir string) (err error) {
	task := in.Progress.Begin(progress.Step{Title: "assembling the kind node image", Estimate: nodeEstimate})
	defer func() { task.End(err) }()
	scratch := filepath.Join(dir, ".scratch")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	system, err := archive.FromFile(filepath.Join(base, debianLayer))
	if err != nil {
		return err
	}
	layers := []archive.Layer{system}
	for _, part := range []struct {
		name string
		fill func(ctx context.Context, root string) error
	}{
		{"files", in.files},
		{"preloaded", func(ctx context.Context, root string) error { return in.preload(ctx, root, core) }},
	} {
		root := filepath.Join(scratch, part.name)
		if err := os.Mkdir(root, 0o755); err != nil {
			return err
		}
		if err := part.fill(ctx, root); err != nil {
			return err
		}
		layer, err := archive.FromFolder(ctx, root, root+".tar")
		if err != nil {
			return err
		}
		layers = append(layers, layer)
	}
	return archive.Write(filepath.Join(dir, "node.tar"), archive.Image{
		Names: []string{name}, Layers: layers,
		// As kind's own: systemd must know that it is in a container, and
		// ends on this signal only.
		Config: v1.Config{
			Env:        []string{"container=docker", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
			StopSignal: "SIGRTMIN+3",
			Entrypoint: []string{"/usr/local/bin/entrypoint", "/sbin/init"},
		},
	})
}
