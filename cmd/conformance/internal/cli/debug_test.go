package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cmd/conformance/internal/bundle"
)

// A private key is planted in a run's folder, and a token in a log.
func TestNoSecretEntersABundle(t *testing.T) {
	run, packed := t.TempDir(), t.TempDir()
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2ln"
	for name, content := range map[string]string{
		"journal.ndjson":        "{}\n",
		"evidence/x/config.txt": "-----BEGIN EC PRIVATE KEY-----\nMHcC\n",
		"logs/gateway.txt":      "authorization: Bearer " + token + "\n",
	} {
		path := filepath.Join(run, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	left, err := copyRun(run, packed)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Contains(t, left[0], "evidence/x/config.txt: not written: there is a private key in it")
	archive := filepath.Join(t.TempDir(), "bundle.tar.gz")
	require.NoError(t, bundle.Write(archive, packed))
	files, err := bundle.Files(archive)
	require.NoError(t, err)
	assert.Contains(t, files, "journal.ndjson")
	assert.Contains(t, files["logs/gateway.txt"], "[token redacted]", "the log is there, without what it must not tell")
	for name, content := range files {
		assert.NotContains(t, content, "PRIVATE KEY", name)
		assert.NotContains(t, content, token, name)
	}
	info, err := os.Stat(archive)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestABundleOfNoRunIsRefused(t *testing.T) {
	_, err := copyRun(t.TempDir(), t.TempDir())
	assert.ErrorContains(t, err, "journal.ndjson")
}
