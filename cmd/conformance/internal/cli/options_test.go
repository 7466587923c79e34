package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withOptions is a run command with that options file and command line.
func withOptions(t *testing.T, file string, args ...string) (*cobra.Command, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "options.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	c := (Program{}).run()
	require.NoError(t, c.ParseFlags(append([]string{"--options", path}, args...)))
	return c, readOptions(c)
}

func TestFlagsWinOverTheOptionsFile(t *testing.T) {
	c, err := withOptions(t, "seed: 7\ntimeout: 20s\ntags: '@core'\ncontact: [a, b]\n", "--seed", "8")
	require.NoError(t, err)
	seed, _ := c.Flags().GetInt64("seed")
	timeout, _ := c.Flags().GetDuration("timeout")
	tags, _ := c.Flags().GetString("tags")
	contact, _ := c.Flags().GetStringArray("contact")
	assert.Equal(t, int64(8), seed)
	assert.Equal(t, 20*time.Second, timeout)
	assert.Equal(t, "@core", tags)
	assert.Equal(t, []string{"a", "b"}, contact)
}

func TestAnEmptyOptionsFileChangesNothing(t *testing.T) {
	_, err := withOptions(t, "# nothing\n")
	assert.NoError(t, err)
}

func TestBadOptionsAreRefusedWithTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"no flag":       {"seed: 1\nsede: 2\n", `:2: no option "sede"; there are: clusters, contact,`},
		"itself":        {"options: x\n", `no option "options"`},
		"a wrong type":  {"seed: many\n", `:1: option "seed": "many"`},
		"a list of one": {"seed: [1, 2]\n", `option "seed": want one value`},
		"a map":         {"seed: {a: b}\n", `option "seed": want a value`},
		"twice":         {"seed: 1\nseed: 2\n", `:2: "seed" stands there twice`},
		"a list":        {"- seed\n", ":1: want a map"},
		"no YAML":       {"\t", "cannot start any token"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := withOptions(t, c.file)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.want)
		})
	}
	c := (Program{}).run()
	require.NoError(t, c.ParseFlags([]string{"--options", filepath.Join(t.TempDir(), "none")}))
	assert.ErrorContains(t, readOptions(c), "no such file")
}
