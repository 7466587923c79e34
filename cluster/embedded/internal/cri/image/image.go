// Package image knows the container images of a node.
//
// An image is a directory with a root file system and a description beside it:
// nothing is pulled, unpacked or layered. The package must not know how an
// image is run, nor where its directory came from.
package image

import (
	"fmt"
	"strings"
)

// Image is one image that containers can be made from.
type Image struct {
	// ID is "sha256:" and a digest that changes with the description.
	ID string
	// Names are canonical, at least one.
	Names []string
	// Rootfs is the absolute path of the root file system's directory.
	// Containers never write to it.
	Rootfs string
	// Entrypoint and Cmd are what runs unless the pod says otherwise. Both
	// may be empty, then the pod must say it.
	Entrypoint, Cmd []string
	// Env are defaults, each NAME=value.
	Env []string
	// WorkingDir is where the process starts; empty means "/".
	WorkingDir string
	// User is "uid", "uid:gid", "name" or "name:group"; empty means root.
	User string
	// StopSignal is a signal's name or number; empty means SIGTERM.
	StopSignal string
	// Size is the sum of the root file system's files, in bytes.
	Size uint64
}

// Digest is the image's name by content, as kubelet records it: one that it was
// given, or else one made from its id.
func (i Image) Digest() string {
	for _, name := range i.Names {
		if strings.Contains(name, "@") {
			return name
		}
	}
	return repositoryOf(i.Names[0]) + "@" + i.ID
}

// Store finds images. Implementations are safe for concurrent use.
type Store interface {
	// Resolve finds an image by any of its names or by its id. For one that
	// is not there the error is an *UnknownError.
	Resolve(ref string) (Image, error)
	// List returns every image, in a stable order.
	List() ([]Image, error)
}

// UnknownError says that a name belongs to no image of the node.
type UnknownError struct {
	Ref string
	// Known are the names that would have been found.
	Known []string
}

func (e *UnknownError) Error() string {
	known := "there are none at all"
	if len(e.Known) > 0 {
		known = "known are " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("image %q is not on this node and nothing is pulled from registries; %s", e.Ref, known)
}

func find(images []Image, ref string) (Image, error) {
	want := Canonical(ref)
	var known []string
	for _, img := range images {
		if img.ID == ref || img.ID == "sha256:"+ref {
			return img, nil
		}
		for _, name := range img.Names {
			if name == want || repositoryOf(name)+"@"+img.ID == want {
				return img, nil
			}
		}
		known = append(known, img.Names...)
	}
	return Image{}, &UnknownError{Ref: ref, Known: known}
}
