package image

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCanonicalNames(t *testing.T) {
	for ref, want := range map[string]string{
		"busybox":                         "docker.io/library/busybox:latest",
		"busybox:1":                       "docker.io/library/busybox:1",
		"istio/proxyv2":                   "docker.io/istio/proxyv2:latest",
		"docker.io/istio/proxyv2:1":       "docker.io/istio/proxyv2:1",
		"meshfed.local/bookinfo:dev":      "meshfed.local/bookinfo:dev",
		"localhost/x":                     "localhost/x:latest",
		"localhost:5000/x":                "localhost:5000/x:latest",
		"localhost:5000/x:1":              "localhost:5000/x:1",
		"busybox@sha256:12":               "docker.io/library/busybox@sha256:12",
		"registry.k8s.io/a/b:1@sha256:12": "registry.k8s.io/a/b@sha256:12",
		"sha256:12":                       "sha256:12",
	} {
		assert.Equal(t, want, Canonical(ref), ref)
	}
}

func write(t *testing.T, root, name, description string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(root, name, "rootfs"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, name, "rootfs", "file"), []byte("12345"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, name, descriptionFile), []byte(description), 0o644))
}

func TestAnImageIsFoundByEveryNameItsDigestAndItsId(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a", `{"names":["a:1","meshfed.local/a:dev"],"entrypoint":["/a"],"user":"1337:1337"}`)
	d, err := OpenDir(root)
	require.NoError(t, err)
	img, err := d.Resolve("a:1")
	require.NoError(t, err)
	assert.Equal(t, uint64(5), img.Size)
	assert.Equal(t, "1337:1337", img.User)
	for _, ref := range []string{"docker.io/library/a:1", "meshfed.local/a:dev", img.ID, img.ID[len("sha256:"):], img.Digest(), "a@" + img.ID} {
		found, err := d.Resolve(ref)
		require.NoError(t, err, ref)
		assert.Equal(t, img.ID, found.ID, ref)
	}
	var unknown *UnknownError
	_, err = d.Resolve("a:2")
	require.ErrorAs(t, err, &unknown)
	assert.ErrorContains(t, err, "known are docker.io/library/a:1, meshfed.local/a:dev")
}

func TestAnImageNamedByDigestIsFoundByItAlone(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a", `{"names":["a@sha256:12"]}`)
	d, err := OpenDir(root)
	require.NoError(t, err)
	img, err := d.Resolve("a:with-a-tag@sha256:12")
	require.NoError(t, err)
	assert.Equal(t, "docker.io/library/a@sha256:12", img.Digest())
	_, err = d.Resolve("a@sha256:13")
	assert.Error(t, err)
	_, err = d.Resolve("a")
	assert.Error(t, err)
}

func TestAnImageAddedLaterIsFound(t *testing.T) {
	root := t.TempDir()
	d, err := OpenDir(root)
	require.NoError(t, err)
	_, err = d.Resolve("b")
	assert.ErrorContains(t, err, "there are none at all")
	require.NoError(t, os.Mkdir(filepath.Join(root, "half-written"), 0o755))
	write(t, root, "b", `{"names":["b"]}`)
	_, err = d.Resolve("b")
	assert.NoError(t, err)
}

func TestAMalformedImageIsExplained(t *testing.T) {
	for description, want := range map[string]string{
		`{"names":[]}`:                     "no names",
		`{"names":["a"],"entrypont":[""]}`: `unknown field "entrypont"`,
		`{`:                                "unexpected EOF",
	} {
		root := t.TempDir()
		write(t, root, "a", description)
		_, err := OpenDir(root)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, filepath.Join(root, "a", descriptionFile))
	}
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "a"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "a", descriptionFile), []byte(`{"names":["a"]}`), 0o644))
	_, err := OpenDir(root)
	assert.ErrorContains(t, err, "no directory rootfs")
	_, err = OpenDir(filepath.Join(root, "nosuch"))
	assert.ErrorContains(t, err, "image directory")
}
