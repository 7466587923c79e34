package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/cachedir"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// Ensure returns a folder with one image per sub-folder (image.json and
// rootfs/), making those that are missing. cacheDir empty means the default of
// toolchain. The folder is never changed once returned; other tools or other
// libraries on this machine make another one. It needs root, since files of an
// image belong to the users that it names.
func Ensure(ctx context.Context, t toolchain.Tools, cacheDir string) (string, error) {
	return ensureAll(ctx, "all", cacheDir, func(m machine) ([]recipe, error) { return recipes(t, m) })
}

// EnsureOwn is Ensure for what cannot be pulled from anywhere, and for CoreDNS.
func EnsureOwn(ctx context.Context, t toolchain.Tools, cacheDir string) (string, error) {
	return ensureAll(ctx, "own", cacheDir, func(m machine) ([]recipe, error) { return own(t, m) })
}

func own(t toolchain.Tools, m machine) ([]recipe, error) {
	return listed(t, m, coredns, bookinfo, federator)
}

// HasOwn says whether EnsureOwn has nothing to make, and so does without root. An
// image of which that cannot be known is one to be made.
func HasOwn(t toolchain.Tools, cacheDir string) bool {
	m, err := thisMachine()
	if err != nil {
		return false
	}
	wanted, err := own(t, m)
	if err != nil {
		return false
	}
	for _, r := range wanted {
		if key, err := r.key(); err != nil || !r.entry(cacheDir, key).Exists() {
			return false
		}
	}
	return true
}

// EnsureControlPlane is Ensure for what kubeadm and a kind node run in
// containers: Kubernetes' own components and etcd, from the lab's tools, and
// the pause container from the node's.
func EnsureControlPlane(ctx context.Context, lab, node toolchain.Tools, cacheDir string) (string, error) {
	return ensureAll(ctx, "control-plane", cacheDir, func(m machine) ([]recipe, error) { return controlPlane(lab, node, m) })
}

func ensureAll(ctx context.Context, name, cacheDir string, list func(machine) ([]recipe, error)) (string, error) {
	if cacheDir == "" {
		var err error
		if cacheDir, err = toolchain.DefaultCacheDir(); err != nil {
			return "", err
		}
	}
	m, err := thisMachine()
	if err != nil {
		return "", fmt.Errorf("images: %w", err)
	}
	wanted, err := list(m)
	if err != nil {
		return "", err
	}
	root := filepath.Join(cacheDir, "images")
	made := map[string]string{}
	for _, r := range wanted {
		if made[r.name], err = r.ensure(ctx, cacheDir); err != nil {
			return "", err
		}
	}
	return collect(ctx, root, name, made)
}

// entry is where the image is kept.
func (r recipe) entry(cacheDir, key string) cachedir.Entry {
	return cachedir.Entry{Root: filepath.Join(cacheDir, "images"), Name: r.name, Key: key}
}

func (r recipe) ensure(ctx context.Context, cacheDir string) (string, error) {
	key, err := r.key()
	if err != nil {
		return "", err
	}
	dir, err := cachedir.Make(ctx, r.entry(cacheDir, key), nil, func(ctx context.Context, dir string) error {
		return r.make(ctx, dir, cacheDir)
	})
	if err != nil {
		return "", err
	}
	return dir, r.mend(dir)
}

// mend gives an image of the cache the modes of its recipe. Earlier versions made
// some under root's own umask, which none but root can run; making them once
// more takes minutes.
func (r recipe) mend(dir string) error {
	root := entry{Kind: directory, Mode: 0o755}
	for _, e := range append(r.sorted(), root) {
		at := filepath.Join(dir, "rootfs", filepath.FromSlash(e.Path))
		info, err := os.Lstat(at)
		if err == nil && e.Kind != symlink && info.Mode()&(os.ModePerm|os.ModeSticky) != e.mode() {
			err = os.Chmod(at, e.mode())
		}
		if err != nil {
			return fmt.Errorf("image %s: %w", r.name, err)
		}
	}
	return nil
}

// collect makes the folder of links to the images.
func collect(ctx context.Context, root, name string, made map[string]string) (string, error) {
	raw, err := json.Marshal(made)
	if err != nil {
		return "", fmt.Errorf("images: %w", err)
	}
	e := cachedir.Entry{Root: root, Name: name, Key: hash(raw)}
	return cachedir.Make(ctx, e, nil, func(_ context.Context, dir string) error {
		for name, at := range made {
			if err := os.Symlink(filepath.Join("..", filepath.Base(at)), filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("images: %w", err)
			}
		}
		return nil
	})
}

// make writes the image into an empty directory.
func (r recipe) make(ctx context.Context, dir, cacheDir string) error {
	rootfs := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		return fmt.Errorf("image %s: %w", r.name, err)
	}
	if err := os.Chmod(rootfs, 0o755); err != nil {
		return fmt.Errorf("image %s: %w", r.name, err)
	}
	for _, e := range r.sorted() {
		if err := errors.Join(ctx.Err(), e.write(rootfs, cacheDir)); err != nil {
			return fmt.Errorf("image %s: %s: %w", r.name, e.Path, err)
		}
	}
	raw, err := json.MarshalIndent(r.description, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "image.json"), append(raw, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("image %s: %w", r.name, err)
	}
	return nil
}

func (e entry) write(rootfs, cacheDir string) error {
	at := filepath.Join(rootfs, filepath.FromSlash(e.Path))
	var err error
	switch e.Kind {
	case symlink:
		return os.Symlink(e.Content, at)
	case directory:
		err = os.Mkdir(at, 0o755)
	case text:
		err = os.WriteFile(at, []byte(e.Content), 0o644)
	case copied:
		// What is in the cache never changes, so it need not stand there
		// twice. A file of the machine does change, in place at times.
		if !strings.HasPrefix(e.Content, cacheDir+string(filepath.Separator)) || os.Link(e.Content, at) != nil {
			err = copyFile(e.Content, at)
		}
	}
	if err != nil {
		return err
	}
	return e.protect(at)
}

// protect sets owner and mode; the mode last, and not by the call that made
// the file, since the process's umask has a say there.
func (e entry) protect(at string) error {
	if e.Owner != 0 {
		if err := os.Lchown(at, e.Owner, e.Owner); err != nil {
			return fmt.Errorf("%w (images can only be made by root)", err)
		}
	}
	return os.Chmod(at, e.mode())
}

// mode is the entry's mode in the words of package os.
func (e entry) mode() os.FileMode {
	mode := e.Mode.Perm()
	if e.Mode&0o1000 != 0 {
		mode |= os.ModeSticky
	}
	return mode
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func hash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])[:12]
}
