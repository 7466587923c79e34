package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// restricted is the bounding set of root without CAP_SYS_RESOURCE.
const restricted = 0x1fffeffffff

func TestWhatTheHostCannotGiveIsNotAskedFor(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"a container": {
			`{"process":{"args":["x"],"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"permitted":["CAP_SYS_RESOURCE"]}},"linux":{"n":9007199254740993}}`,
			`{"process":{"args":["x"],"capabilities":{"bounding":["CAP_CHOWN"],"permitted":[]}},"linux":{"n":9007199254740993}}`,
		},
		"a process that joins one": {
			`{"args":["x"],"capabilities":{"effective":["CAP_SYS_RESOURCE","CAP_BPF"]}}`,
			`{"args":["x"],"capabilities":{"effective":["CAP_BPF"]}}`,
		},
		"a capability of a later kernel": {
			`{"capabilities":{"effective":["CAP_OF_TOMORROW"]}}`, `{"capabilities":{"effective":["CAP_OF_TOMORROW"]}}`,
		},
		"no capabilities at all": {`{"args":["x"]}`, `{"args":["x"]}`},
		"null":                   {`{"capabilities":null}`, `{"capabilities":null}`},
	} {
		got, err := fit([]byte(c.before), restricted)
		require.NoError(t, err, name)
		assert.JSONEq(t, c.after, string(got), name)
	}
	whole, err := fit([]byte(`{"capabilities":{"bounding":["CAP_SYS_RESOURCE"]}}`), 1<<41-1)
	require.NoError(t, err)
	assert.Contains(t, string(whole), "CAP_SYS_RESOURCE", "a host that has all of them gives all of them")
}

func TestLargeNumbersSurvive(t *testing.T) {
	got, err := fit([]byte(`{"process":{"capabilities":{}},"linux":{"n":9007199254740993}}`), restricted)
	require.NoError(t, err)
	assert.Contains(t, string(got), "9007199254740993")
}

func TestADocumentThatIsNoneIsAnError(t *testing.T) {
	for _, bad := range []string{"", "[]", `{"process":[]}`, `{"capabilities":3}`} {
		_, err := fit([]byte(bad), restricted)
		assert.Error(t, err, bad)
	}
}

func TestOnlyWhatStartsSomethingIsTouched(t *testing.T) {
	for _, c := range []struct {
		args []string
		file string
	}{
		{[]string{"--root", "/r", "create", "--bundle", "/b", "--pid-file", "/p", "id"}, "/b/config.json"},
		{[]string{"--log", "run", "run", "-b", "/b", "id"}, "/b/config.json"},
		{[]string{"exec", "--process", "/tmp/p", "--detach", "id"}, "/tmp/p"},
		{[]string{"kill", "id", "9"}, ""},
		{[]string{"state", "id"}, ""},
		{[]string{"--bundle", "/b", "delete", "id"}, ""},
		{[]string{"create"}, ""},
	} {
		assert.Equal(t, c.file, asked(c.args), c.args)
	}
}

func TestTheFileIsReplacedWithItsMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"capabilities":{"bounding":["CAP_SYS_RESOURCE"]}}`), 0o600))
	require.NoError(t, fitFile(file, restricted))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.JSONEq(t, `{"capabilities":{"bounding":[]}}`, string(got))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())
	assert.NoFileExists(t, file+".fit")
}

func TestTheBoundingSetIsRead(t *testing.T) {
	got, err := bounding("Name:\tx\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n")
	require.NoError(t, err)
	assert.EqualValues(t, restricted, got)
	assert.False(t, has(got, "CAP_SYS_RESOURCE"))
	assert.True(t, has(got, "CAP_SYS_ADMIN"))
	_, err = bounding("nothing")
	assert.Error(t, err)
}
