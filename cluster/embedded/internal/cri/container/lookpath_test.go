package container

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for path, mode := range map[string]os.FileMode{"first/plain": 0o644, "second/plain": 0o644, "second/tool": 0o755, "first/both": 0o644, "second/both": 0o755} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), nil, mode))
	}
	env := []string{"OTHER=x", "PATH=" + first + ":" + second}
	for command, want := range map[string]string{
		"tool":                        filepath.Join(second, "tool"),
		"both":                        filepath.Join(second, "both"),
		filepath.Join(second, "tool"): filepath.Join(second, "tool"),
	} {
		got, err := lookPath(command, env)
		require.NoError(t, err, command)
		assert.Equal(t, want, got)
	}
	for command, want := range map[string]string{
		"nosuch": `exec: "nosuch": executable file not found in $PATH`,
		"plain":  "permission denied",
		first:    "is a directory",
		"":       `exec: "": executable file not found in $PATH`,
	} {
		_, err := lookPath(command, env)
		assert.ErrorContains(t, err, want, command)
	}
	_, err := lookPath("tool", nil)
	assert.Error(t, err)
}

func TestDefaultsFillOnlyWhatIsMissing(t *testing.T) {
	assert.Equal(t, []string{defaultPath, "HOME=/root"}, withDefaults(nil, "/root", false))
	given := []string{"PATH=/x", "HOME=/y", "TERM=vt100"}
	assert.Equal(t, given, withDefaults(given, "/root", true))
	assert.Contains(t, withDefaults(nil, "/", true), "TERM=xterm")
}
