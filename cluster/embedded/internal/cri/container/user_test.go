package container

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func accountFiles(t *testing.T) (passwd, group string) {
	t.Helper()
	passwd, group = filepath.Join(t.TempDir(), "passwd"), filepath.Join(t.TempDir(), "group")
	require.NoError(t, os.WriteFile(passwd, []byte("root:x:0:0:root:/root:/bin/sh\n# a comment\nenvoy:x:1337:1338::/home/envoy:/bin/sh\n"), 0o644))
	require.NoError(t, os.WriteFile(group, []byte("root:x:0:\nmesh:x:1338:\nextra:x:2000:root,envoy\n"), 0o644))
	return passwd, group
}

func TestUsersOfTheImage(t *testing.T) {
	passwd, group := accountFiles(t)
	for image, want := range map[string]User{
		"":            {UID: 0, GID: 0, Groups: []int{0, 2000}},
		"envoy":       {UID: 1337, GID: 1338, Groups: []int{1338, 2000}},
		"1337":        {UID: 1337, GID: 1338, Groups: []int{1338, 2000}},
		"1337:1337":   {UID: 1337, GID: 1337, Groups: []int{1337, 2000}},
		"envoy:extra": {UID: 1337, GID: 2000, Groups: []int{2000}},
		"42":          {UID: 42, GID: 0, Groups: []int{0}},
		"42:mesh":     {UID: 42, GID: 1338, Groups: []int{1338}},
	} {
		u, _, err := UserSpec{Image: image}.resolve(passwd, group)
		require.NoError(t, err, image)
		assert.Equal(t, want, u, image)
	}
}

func TestThePodsUserCountsMoreThanTheImages(t *testing.T) {
	passwd, group := accountFiles(t)
	uid := int64(0)
	u, home, err := UserSpec{Image: "envoy:extra", UID: &uid, Name: "envoy"}.resolve(passwd, group)
	require.NoError(t, err)
	assert.Equal(t, User{Groups: []int{0, 2000}}, u)
	assert.Equal(t, "/root", home)
}

func TestUnknownNamesAreExplained(t *testing.T) {
	passwd, group := accountFiles(t)
	for image, want := range map[string]string{
		"nobody":      `user "nobody": no such user`,
		"root:nobody": `group "nobody": no such group`,
		"-1":          `user "-1": no such user`,
		"0:-1":        `group "-1": no such group`,
	} {
		_, _, err := UserSpec{Image: image}.resolve(passwd, group)
		assert.ErrorContains(t, err, want)
	}
}

func TestNumbersNeedNoAccountFiles(t *testing.T) {
	u, home, err := UserSpec{Image: "1337:1337"}.resolve("/no/such/file", "/no/such/file")
	require.NoError(t, err)
	assert.Equal(t, User{UID: 1337, GID: 1337, Groups: []int{1337}}, u)
	assert.Equal(t, "/", home)
}
