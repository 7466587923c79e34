package archive_test

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/archive"
)

// folder is a small root file system.
func folder(t *testing.T, when time.Time) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "usr/bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "usr/bin/tool"), []byte("content"), 0o755))
	require.NoError(t, os.Symlink("usr/bin", filepath.Join(dir, "bin")))
	for _, p := range []string{"usr/bin/tool", "usr/bin", "usr"} {
		require.NoError(t, os.Chtimes(filepath.Join(dir, p), when, when))
	}
	return dir
}

func write(t *testing.T, when time.Time, names ...string) string {
	t.Helper()
	out := t.TempDir()
	layer, err := archive.FromFolder(t.Context(), folder(t, when), filepath.Join(out, "layer.tar"))
	require.NoError(t, err)
	file := filepath.Join(out, "image.tar")
	require.NoError(t, archive.Write(file, archive.Image{
		Names: names, Layers: []archive.Layer{layer}, Config: v1.Config{Entrypoint: []string{"/usr/bin/tool"}, User: "1:1"},
	}))
	return file
}

func TestAnImageCanBeReadBack(t *testing.T) {
	file := write(t, time.Now(), "meshfed.local/tool:dev")
	tag, err := name.NewTag("meshfed.local/tool:dev")
	require.NoError(t, err)
	image, err := tarball.ImageFromPath(file, &tag)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/usr/bin/tool"}, config.Config.Entrypoint)
	assert.Equal(t, "1:1", config.Config.User)
	assert.Equal(t, "linux", config.OS)
	var found []string
	for r := tar.NewReader(mutate.Extract(image)); ; {
		h, err := r.Next()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
		found = append(found, h.Name)
	}
	assert.Equal(t, []string{"bin", "usr", "usr/bin", "usr/bin/tool"}, found)
}

func TestTheSameContentIsTheSameFile(t *testing.T) {
	one, err := os.ReadFile(write(t, time.Now(), "a.local/x:1"))
	require.NoError(t, err)
	other, err := os.ReadFile(write(t, time.Unix(7, 0), "a.local/x:1"))
	require.NoError(t, err)
	assert.Equal(t, one, other)
}

func TestWhatCannotBeFoundAgainIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.tar")
	require.Error(t, archive.Write(file, archive.Image{}))
	require.Error(t, archive.Write(file, archive.Image{Names: []string{"no tag or spaces"}}))
	_, err := archive.FromFolder(t.Context(), filepath.Join(t.TempDir(), "missing"), filepath.Join(t.TempDir(), "x"))
	require.Error(t, err)
}
