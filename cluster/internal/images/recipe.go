// Package images assembles the lab's container images: directories with a root
// file system and a description beside it, made of the tools and of a few
// programs of this machine with the libraries they need. Nothing is pulled.
//
// It knows what is in an image, not how one is run or what a cluster is.
package images

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Description is what stands in image.json: what a runtime must know of the
// image besides its files.
type Description struct {
	// Names are those that pods ask for; there is at least one.
	Names []string `json:"names"`
	// Entrypoint and Cmd are run, one after the other, unless the pod says
	// otherwise.
	Entrypoint []string `json:"entrypoint,omitempty"`
	Cmd        []string `json:"cmd,omitempty"`
	// Env are defaults, each NAME=value.
	Env []string `json:"env,omitempty"`
	// WorkingDir is where the process starts.
	WorkingDir string `json:"workingDir,omitempty"`
	// User is "uid:gid".
	User string `json:"user,omitempty"`
}

// kind is what a path of a root file system is.
type kind string

const (
	directory kind = "directory"
	symlink   kind = "symlink"
	text      kind = "text" // a file with the content given
	copied    kind = "copy" // a file with the content of a file of the machine
)

// entry is one path of a root file system.
type entry struct {
	Path string
	Kind kind
	Mode fs.FileMode
	// Owner is both uid and gid.
	Owner int
	// Content is a text's content, a link's target or a copy's source.
	Content string
	// Identity tells one content of a copy's source from another.
	Identity string
}

// recipe is an image before it is made: pure data, hence its own key.
type recipe struct {
	name        string
	description Description
	entries     map[string]entry
}

// layout is part of every key; it changes when the way in which recipes become
// files does.
const layout = "1"

// key hashes what the image is made of.
func (r recipe) key() (string, error) {
	raw, err := json.Marshal([]any{layout, r.description, r.sorted()})
	if err != nil {
		return "", fmt.Errorf("image %s: %w", r.name, err)
	}
	return hash(raw), nil
}

// sorted lists the entries so that every folder comes before what is in it.
func (r recipe) sorted() []entry {
	list := make([]entry, 0, len(r.entries))
	for _, e := range r.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// put adds an entry and the folders above it. The first entry of a path stays:
// a folder with an owner is not lost to a file below it.
func (r recipe) put(e entry) {
	e.Path = path.Clean(e.Path)
	if _, there := r.entries[e.Path]; there || e.Path == "/" {
		return
	}
	r.entries[e.Path] = e
	r.put(entry{Path: path.Dir(e.Path), Kind: directory, Mode: 0o755})
}

func (r recipe) directory(path string, mode fs.FileMode, owner int) {
	r.put(entry{Path: path, Kind: directory, Mode: mode, Owner: owner})
}

func (r recipe) text(path, content string) {
	r.put(entry{Path: path, Kind: text, Mode: 0o644, Content: content})
}

func (r recipe) symlink(path, target string) {
	r.put(entry{Path: path, Kind: symlink, Content: target})
}

func (r recipe) copy(path string, mode fs.FileMode, source, identity string) {
	r.put(entry{Path: path, Kind: copied, Mode: mode, Content: source, Identity: identity})
}
