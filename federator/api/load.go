package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// maxSource bounds one file. Declarations are written by people; a bigger
// document is a mistake or an attack, and must not cost memory first.
const maxSource = 4 << 20

// Load reads files and folders (recursively: *.yaml, *.yml and *.json, in
// lexical order) into one validated Spec.
func Load(paths ...string) (Spec, error) {
	var files []string
	for _, p := range paths {
		found, err := expand(p)
		if err != nil {
			return Spec{}, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return Spec{}, errors.New("load declarations: no file named; pass at least one file or folder")
	}
	var spec Spec
	for _, name := range files {
		if err := spec.readFile(name); err != nil {
			return Spec{}, err
		}
	}
	return spec, Validate(spec)
}

// Parse reads the documents of one stream into a validated Spec; name stands
// for the stream in errors.
func Parse(name string, r io.Reader) (Spec, error) {
	var spec Spec
	if err := spec.read(name, r); err != nil {
		return Spec{}, err
	}
	return spec, Validate(spec)
}

func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("load declarations: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(p)) {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load declarations: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("load declarations: folder %s holds no .yaml, .yml or .json file", path)
	}
	return files, nil
}

func (s *Spec) readFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("load declarations: %w", err)
	}
	defer f.Close()
	return s.read(name, f)
}

func (s *Spec) read(name string, r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxSource+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxSource {
		return fmt.Errorf("read %s: larger than %d MiB; split it", name, maxSource>>20)
	}
	return s.decode(name, data)
}
