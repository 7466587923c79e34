package images

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func shell(t *testing.T) string {
	t.Helper()
	at, err := filepath.EvalSymlinks("/bin/sh")
	require.NoError(t, err)
	return at
}

func TestTheClosureOfTheShellIsItsLoaderAndLibraries(t *testing.T) {
	l, err := newLinker()
	require.NoError(t, err)
	c, err := l.closure(shell(t))
	require.NoError(t, err)
	require.Len(t, c.loaders, 1)
	assert.FileExists(t, c.loaders[0])
	for name, at := range c.libraries {
		assert.FileExists(t, at, name)
		assert.NotEqual(t, filepath.Base(c.loaders[0]), name, "the loader is no library")
	}
}

func TestAStaticBinaryNeedsNothing(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	l, err := newLinker()
	require.NoError(t, err)
	c, err := l.closure(self)
	require.NoError(t, err)
	if len(c.loaders) > 0 {
		t.Skip("the tests are linked dynamically here")
	}
	assert.Empty(t, c.libraries)
}

func TestAScriptIsNotABinary(t *testing.T) {
	at := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(at, []byte("#!/bin/sh\nexit 0\n"), 0o755))
	l, err := newLinker()
	require.NoError(t, err)
	_, err = l.closure(at)
	require.ErrorIs(t, err, errNotELF)
	assert.ErrorContains(t, err, at)
}

func TestALibraryThatIsNowhereIsNamedWithItsUser(t *testing.T) {
	l := &linker{dirs: []string{t.TempDir()}, known: map[string]binary{}}
	_, err := l.closure(shell(t))
	if err == nil {
		t.Skip("the shell is static here")
	}
	assert.ErrorContains(t, err, shell(t))
	assert.ErrorContains(t, err, "shared library")
}

func TestLibrariesForAnotherProcessorArePassedOver(t *testing.T) {
	dir := t.TempDir()
	user, other, right := filepath.Join(dir, "user"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, d := range []string{other, right} {
		require.NoError(t, os.Mkdir(d, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(d, "lib.so"), nil, 0o644))
	}
	l := &linker{dirs: []string{other, right}, known: map[string]binary{
		user:                           {needed: []string{"lib.so"}, machine: 62, class: 2},
		filepath.Join(other, "lib.so"): {machine: 3, class: 1},
		filepath.Join(right, "lib.so"): {machine: 62, class: 2},
	}}
	c, err := l.closure(user)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"lib.so": filepath.Join(right, "lib.so")}, c.libraries)
}

func TestTheRunPathOfABinaryGoesFirst(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "lib")
	require.NoError(t, os.Mkdir(own, 0o755))
	for _, at := range []string{filepath.Join(own, "x.so"), filepath.Join(dir, "x.so")} {
		require.NoError(t, os.WriteFile(at, nil, 0o644))
	}
	user := filepath.Join(dir, "user")
	l := &linker{dirs: []string{dir}, known: map[string]binary{
		user:                       {needed: []string{"x.so"}, runpath: []string{"$ORIGIN/lib"}},
		filepath.Join(own, "x.so"): {}, filepath.Join(dir, "x.so"): {},
	}}
	c, err := l.closure(user)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(own, "x.so"), c.libraries["x.so"])
}

func TestConfiguredDirectoriesFollowIncludes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		at := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
		return at
	}
	write("one.conf", "/one # a comment\n\n/two\n")
	write("loop.conf", "include ld.so.conf\n")
	main := write("ld.so.conf", "include *.conf.missing\ninclude one.conf\n/three\n")
	dirs, err := configuredDirs(main, 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"/one", "/two", "/three"}, dirs)
	_, err = configuredDirs(write("self.conf", "include self.conf\n"), 0)
	require.NoError(t, err, "a file that includes itself ends")
}
