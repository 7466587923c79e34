package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
)

func TestAFolderIsReadAsOneWish(t *testing.T) {
	dir := t.TempDir()
	for i, doc := range strings.Split(valid, "---\n") {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
		name := filepath.Join(dir, "sub", string(rune('a'+i))+".yaml")
		require.NoError(t, os.WriteFile(name, []byte(doc), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("not a declaration"), 0o600))
	spec, err := api.Load(dir)
	require.NoError(t, err)
	assert.Len(t, spec.Exposures, 1)
}

func TestTheSeedsFilesAreValid(t *testing.T) {
	for _, name := range []string{"c1", "c2"} {
		_, err := api.Load("../testdata/seed/" + name + ".yaml")
		require.NoError(t, err)
	}
}

// SAD PATHS
func TestWhatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.yaml")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	big := filepath.Join(dir, "big.yaml")
	require.NoError(t, os.WriteFile(big, make([]byte, 5<<20), 0o600))
	none := filepath.Join(dir, "none")
	require.NoError(t, os.Mkdir(none, 0o755))

	cases := map[string]struct {
		paths []string
		want  string
	}{
		"nothing named": {nil, "no file named"},
		"missing file":  {[]string{filepath.Join(dir, "absent.yaml")}, "no such file"},
		"empty folder":  {[]string{none}, "holds no .yaml"},
		"empty file":    {[]string{empty}, "no Mesh declared"},
		"huge file":     {[]string{big}, "larger than 4 MiB"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := api.Load(c.paths...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestWhatIsNoYAMLIsRefused(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for i, r := range "bcdefghij" {
		prev := string(rune('a' + i))
		bomb += string(r) + ": &" + string(r) + " [" + strings.Repeat("*"+prev+", ", 8) + "*" + prev + "]\n"
	}
	for name, text := range map[string]string{
		"syntax":      "apiVersion: [",
		"list":        "- a\n- b\n",
		"scalar":      "hello",
		"number keys": "1: 2\n",
		"aliases":     bomb,
		"binary":      "\x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := api.Parse("wish.yaml", strings.NewReader(text))
			require.ErrorContains(t, err, "wish.yaml")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// FuzzParse: whatever the bytes, the parser neither panics nor accepts a wish
// that does not validate.
func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	for doc := range strings.SplitSeq(valid, "---\n") {
		f.Add([]byte(doc))
	}
	f.Add([]byte("a: &a [*a]"))
	for _, text := range declarations(f) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := api.Parse("fuzz", strings.NewReader(string(data)))
		if err == nil {
			require.NoError(t, api.Validate(spec))
		}
	})
}
