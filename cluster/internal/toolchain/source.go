package toolchain

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ownSource hashes all files of the packages and of the packages of this
// module that they import. `go list` would say the same in half a second;
// reading the import clauses takes a few milliseconds, which is what the
// start of every run can afford.
func ownSource(root string, packages []string) (string, error) {
	seen := map[string]string{}
	if err := walkImports(root, packages, seen); err != nil {
		return "", err
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	var parts []string
	for _, name := range names {
		parts = append(parts, name, seen[name])
	}
	return keyOf(parts...), nil
}

// walkImports collects package → hash of its files, depth first.
func walkImports(root string, packages []string, seen map[string]string) error {
	for _, pkg := range packages {
		rel, own := strings.CutPrefix(pkg, mainModule+"/")
		if _, done := seen[pkg]; done || !own {
			continue
		}
		sum, imports, err := readPackage(filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		seen[pkg] = sum
		if err := walkImports(root, imports, seen); err != nil {
			return err
		}
	}
	return nil
}

// readPackage hashes the files of one folder and lists what its Go files
// import. Files that are not Go count as well, those of subfolders that are no
// package too: they may be embedded.
func readPackage(dir string) (sum string, imports []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, fmt.Errorf("source: %w", err)
	}
	var parts []string
	for _, e := range entries {
		if e.IsDir() {
			files, err := readData(dir, e.Name())
			if err != nil {
				return "", nil, err
			}
			parts = append(parts, files...)
		}
		if !e.Type().IsRegular() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", nil, fmt.Errorf("source: %w", err)
		}
		parts = append(parts, e.Name(), string(raw))
		if strings.HasSuffix(e.Name(), ".go") {
			found, err := importsOf(filepath.Join(dir, e.Name()), raw)
			if err != nil {
				return "", nil, err
			}
			imports = append(imports, found...)
		}
	}
	return keyOf(parts...), imports, nil
}

// readData is the names, from dir, and the contents of all files in a subfolder
// of a package. One with Go files is a package of its own and holds none, and
// testdata is what tests read.
func readData(dir, sub string) ([]string, error) {
	if filepath.Base(sub) == "testdata" {
		return nil, nil
	}
	entries, err := os.ReadDir(filepath.Join(dir, sub))
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".go") }) {
		return nil, nil
	}
	var parts []string
	for _, e := range entries {
		name := filepath.Join(sub, e.Name())
		switch {
		case e.IsDir():
			files, err := readData(dir, name)
			if err != nil {
				return nil, err
			}
			parts = append(parts, files...)
		case e.Type().IsRegular():
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return nil, fmt.Errorf("source: %w", err)
			}
			parts = append(parts, name, string(raw))
		}
	}
	return parts, nil
}

func importsOf(name string, source []byte) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	var list []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("source: %s: import %s: %w", name, spec.Path.Value, err)
		}
		list = append(list, path)
	}
	return list, nil
}
