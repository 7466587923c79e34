package images

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// machine is this machine as a source of programs.
type machine struct {
	*linker
	lookPath func(string) (string, error)
}

func thisMachine() (machine, error) {
	l, err := newLinker()
	return machine{linker: l, lookPath: exec.LookPath}, err
}

// necessity says what it means that a program is not there.
type necessity int

const (
	optional necessity = iota
	required
)

// errMissing marks a program that this machine does not have.
var errMissing = errors.New("not on this machine")

// program is the file of a program, with links (alternatives) resolved.
func (m machine) program(name string) (string, error) {
	at, err := toolchain.FindProgram(m.lookPath, name)
	if err != nil {
		return "", fmt.Errorf("program %s: %w", name, errMissing)
	}
	return filepath.EvalSymlinks(at)
}

// takeFile copies a file of the machine into the image.
func (r recipe) takeFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("image %s: %w", r.name, err)
	}
	identity := fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
	r.copy(merged(to), info.Mode().Perm()&^0o222|0o200, from, identity)
	return nil
}

// takeProgram copies a program of the machine to the path, and what it needs.
// A required program that is missing is an error; an optional one that is
// missing, or that is a script, is left out.
func (r recipe) takeProgram(m machine, name, to string, need necessity) error {
	at, err := m.program(name)
	if err == nil {
		err = r.takeBinary(m, at, to)
	}
	if need == optional && (errors.Is(err, errMissing) || errors.Is(err, errNotELF)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("image %s: %w", r.name, err)
	}
	return nil
}

// takeBinary copies an ELF file and its libraries.
func (r recipe) takeBinary(m machine, from, to string) error {
	if err := r.takeLibraries(m, from); err != nil {
		return err
	}
	return r.takeFile(from, to)
}

// takeLibraries copies what the binaries need. All libraries go to the folder
// of the C library, which the loader always searches; so the image needs no
// loader cache, whatever folders this machine's configuration names.
func (r recipe) takeLibraries(m machine, binaries ...string) error {
	c, err := m.closure(binaries...)
	if err != nil {
		return err
	}
	dir := "/usr/lib"
	if libc, ok := c.libraries["libc.so.6"]; ok {
		dir = merged(filepath.Dir(libc))
	}
	for name, from := range c.libraries {
		if err := r.takeFile(from, path.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, loader := range c.loaders {
		if err := r.takeFile(loader, loader); err != nil {
			return err
		}
	}
	return nil
}

// merged is the path in an image whose /bin, /sbin, /lib and /lib64 are links
// into /usr, as Debian's are.
func merged(p string) string {
	for _, top := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(p, top) {
			return "/usr" + p
		}
	}
	return p
}
