package existing

import (
	"fmt"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Image is one that pods need and that no public registry has.
type Image struct {
	// Word is its name on the command line ("bookinfo").
	Word string
	// Local is what it is called where it was put on the nodes themselves.
	Local string
	// For says who needs it.
	For string
	// Registry is its name in a registry from which the clusters pull it; empty
	// means that their nodes have it as Local.
	Registry string
}

// ParseImages reads WORD=REGISTRY/NAME:TAG of the command line: where the
// clusters pull the images from that are needed.
func ParseImages(words []string, needed []Image) ([]Image, error) {
	all := append([]Image(nil), needed...)
	for _, word := range words {
		short, reference, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("image %q: want NAME=REGISTRY/NAME:TAG, such as %s=registry.example.com/%[2]s:dev", word, needed[0].Word)
		}
		i, err := imageOf(all, short)
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", word, err)
		}
		if all[i].Registry != "" {
			return nil, fmt.Errorf("image %q: %s has a name already", word, short)
		}
		// Strict: a name that leaves its registry or its tag out would be looked
		// for where nobody has put it.
		if _, err := name.ParseReference(reference, name.StrictValidation); err != nil {
			return nil, fmt.Errorf("image %q: want REGISTRY/NAME:TAG: %w", word, err)
		}
		all[i].Registry = reference
	}
	return all, nil
}

func imageOf(all []Image, word string) (int, error) {
	var words []string
	for i, image := range all {
		if image.Word == word {
			return i, nil
		}
		words = append(words, image.Word)
	}
	return 0, fmt.Errorf("the images are %s", strings.Join(words, ", "))
}

// ImageName implements cluster.Namer.
func (m *member) ImageName(image string) string {
	for _, i := range m.images {
		if i.Local == image && i.Registry != "" {
			return i.Registry
		}
	}
	return image
}

// tell writes from where each image will come: whether it is there only the
// nodes know.
func tell(w io.Writer, images []Image) {
	for _, i := range images {
		if i.Registry != "" {
			fmt.Fprintf(w, "image %s, for %s: the clusters pull %s\n", i.Word, i.For, i.Registry)
			continue
		}
		fmt.Fprintf(w, "image %s, for %s: every node has to have %s; or name what the clusters can pull: --image %s=REGISTRY/NAME:TAG\n",
			i.Word, i.For, i.Local, i.Word)
	}
}
