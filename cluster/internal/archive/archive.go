package archive

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is an image to be written.
type Image struct {
	// Names are the references by which it is asked for, each with a tag.
	Names  []string
	Layers []Layer
	// Config is how it is run, unless the pod says otherwise.
	Config v1.Config
}

// Write writes the images into one file. What two of them share is in it once.
func Write(file string, images ...Image) error {
	refs := map[name.Reference]v1.Image{}
	for _, i := range images {
		if len(i.Names) == 0 {
			return errors.New("archive: an image without a name cannot be found again")
		}
		image, err := i.build()
		if err != nil {
			return fmt.Errorf("archive: image %s: %w", i.Names[0], err)
		}
		for _, n := range i.Names {
			ref, err := name.NewTag(n, name.StrictValidation)
			if err != nil {
				return fmt.Errorf("archive: %w", err)
			}
			refs[ref] = image
		}
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if err := errors.Join(tarball.MultiRefWrite(refs, out), out.Close()); err != nil {
		return fmt.Errorf("archive %s: %w", file, err)
	}
	return nil
}

func (i Image) build() (v1.Image, error) {
	var layers []v1.Layer
	for _, l := range i.Layers {
		layers = append(layers, l)
	}
	image, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	described, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	described = described.DeepCopy()
	described.OS, described.Architecture = "linux", runtime.GOARCH
	described.Config = i.Config
	return mutate.ConfigFile(image, described)
}
