package images

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errNotELF marks a file that is no binary: a script, say.
var errNotELF = errors.New("not an ELF binary")

// linker finds the shared libraries that binaries need as the dynamic loader
// would. It reads files and runs none: ldd executes what it inspects.
type linker struct {
	dirs  []string
	known map[string]binary
}

// binary is what matters of one ELF file.
type binary struct {
	needed  []string
	runpath []string
	interp  string
	class   elf.Class
	machine elf.Machine
}

// closure is what a set of binaries needs to run.
type closure struct {
	// loaders are the dynamic loaders, as the binaries name them.
	loaders []string
	// libraries are the files by the names under which they are needed.
	libraries map[string]string
}

func newLinker() (*linker, error) {
	dirs, err := configuredDirs("/etc/ld.so.conf", 0)
	if err != nil {
		return nil, err
	}
	dirs = append(dirs, "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
	return &linker{dirs: dirs, known: map[string]binary{}}, nil
}

// closure walks what the binaries need, and what that needs.
func (l *linker) closure(paths ...string) (closure, error) {
	c := closure{libraries: map[string]string{}}
	queue := slices.Clone(paths)
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		b, err := l.read(at)
		if err != nil {
			return c, err
		}
		if b.interp != "" && !slices.Contains(c.loaders, b.interp) {
			c.loaders = append(c.loaders, b.interp)
		}
		for _, name := range b.needed {
			if _, done := c.libraries[name]; done {
				continue
			}
			found, err := l.find(at, b, name)
			if err != nil {
				return c, err
			}
			c.libraries[name] = found
			queue = append(queue, found)
		}
	}
	// The loader is in the process already when it looks for its own name.
	for _, loader := range c.loaders {
		delete(c.libraries, filepath.Base(loader))
	}
	return c, nil
}

// find looks where the loader would: in the binary's own run path, then in the
// system's directories, passing over libraries for another processor.
func (l *linker) find(user string, b binary, name string) (string, error) {
	origin := filepath.Dir(user)
	var dirs []string
	for _, d := range b.runpath {
		dirs = append(dirs, strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(d))
	}
	for _, d := range append(dirs, l.dirs...) {
		at, err := filepath.EvalSymlinks(filepath.Join(d, name))
		if err != nil {
			continue
		}
		lib, err := l.read(at)
		if err == nil && lib.class == b.class && lib.machine == b.machine {
			return at, nil
		}
	}
	return "", fmt.Errorf("%s needs the shared library %s, which is in none of %s", user, name, strings.Join(l.dirs, ", "))
}

// read parses a file once.
func (l *linker) read(path string) (binary, error) {
	if b, ok := l.known[path]; ok {
		return b, nil
	}
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) { // shorter than a header
		return binary{}, fmt.Errorf("%s: %w", path, errNotELF)
	}
	if err != nil {
		return binary{}, err
	}
	defer func() { _ = f.Close() }()
	b := binary{class: f.Class, machine: f.Machine}
	// A static binary has no dynamic section and no interpreter.
	b.needed, _ = f.DynString(elf.DT_NEEDED)
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		list, _ := f.DynString(tag)
		for _, s := range list {
			b.runpath = append(b.runpath, strings.Split(s, ":")...)
		}
	}
	b.interp, err = interpreter(f)
	if err != nil {
		return binary{}, fmt.Errorf("%s: %w", path, err)
	}
	l.known[path] = b
	return b, nil
}

func interpreter(f *elf.File) (string, error) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		raw := make([]byte, p.Filesz)
		if _, err := p.ReadAt(raw, 0); err != nil {
			return "", fmt.Errorf("read the loader's name: %w", err)
		}
		return strings.TrimRight(string(raw), "\x00"), nil
	}
	return "", nil
}

// configuredDirs reads ld.so.conf; depth bounds files that include each other.
func configuredDirs(file string, depth int) ([]string, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) || depth > 5 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("library directories: %w", err)
	}
	var dirs []string
	for _, line := range strings.Split(string(raw), "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		pattern, include := strings.CutPrefix(line, "include ")
		if !include {
			if line != "" {
				dirs = append(dirs, line)
			}
			continue
		}
		files, err := filepath.Glob(absolute(file, strings.TrimSpace(pattern)))
		if err != nil {
			return nil, fmt.Errorf("library directories: %s: %w", file, err)
		}
		for _, f := range files {
			more, err := configuredDirs(f, depth+1)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, more...)
		}
	}
	return dirs, nil
}

func absolute(beside, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(beside), path)
}
