package images

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// standIns are tools that are all the shell, in a cache folder of their own.
func standIns(t *testing.T) (tools toolchain.Tools, cache string) {
	t.Helper()
	cache = t.TempDir()
	dir := filepath.Join(cache, "tools")
	require.NoError(t, os.Mkdir(dir, 0o755))
	content, err := os.ReadFile(shell(t))
	require.NoError(t, err)
	paths := map[toolchain.Tool]string{}
	for _, tool := range toolchain.All() {
		paths[tool] = filepath.Join(dir, string(tool))
		require.NoError(t, os.WriteFile(paths[tool], content, 0o755))
	}
	tools = toolchain.Of(paths)
	tools.EnvoyBootstrap = filepath.Join(dir, "bootstrap.json")
	require.NoError(t, os.WriteFile(tools.EnvoyBootstrap, []byte("{}"), 0o644))
	// The mode that toolchain gives it is a part of the recipe.
	require.NoError(t, os.Chmod(tools.EnvoyBootstrap, 0o644))
	return tools, cache
}

// here is this machine, or a skipped test where it lacks a program.
func here(t *testing.T) machine {
	t.Helper()
	m, err := thisMachine()
	require.NoError(t, err)
	for _, name := range []string{"curl", "nft", "xtables-nft-multi"} {
		if _, err := m.program(name); err != nil {
			t.Skip(err)
		}
	}
	return m
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("an image's files belong to other users: needs root")
	}
}

func TestOwnImagesAreThereOnceTheyAreMade(t *testing.T) {
	needRoot(t)
	here(t)
	tools, cache := standIns(t)
	assert.False(t, HasOwn(tools, cache))
	_, err := EnsureOwn(t.Context(), tools, cache)
	require.NoError(t, err)
	assert.True(t, HasOwn(tools, cache))
	assert.False(t, HasOwn(tools, t.TempDir()))
	assert.False(t, HasOwn(toolchain.Of(nil), cache), "made of other tools")
}

func TestEnsureMakesAFolderWithEveryImage(t *testing.T) {
	needRoot(t)
	here(t)
	tools, cache := standIns(t)
	dir, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	for name, user := range map[string]string{"istiod": "1337:1337", "proxyv2": "1337:1337", "coredns": "65532:65532", "bookinfo": "1000:1000", "federator": "65532:65532"} {
		raw, err := os.ReadFile(filepath.Join(dir, name, "image.json"))
		require.NoError(t, err)
		var d Description
		require.NoError(t, json.Unmarshal(raw, &d))
		assert.Equal(t, user, d.User)
		assert.NotEmpty(t, d.Names)
		require.Len(t, d.Entrypoint, 1)
		assert.FileExists(t, filepath.Join(dir, name, "rootfs", d.Entrypoint[0]))
	}
	again, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	assert.Equal(t, dir, again)
}

func TestAnImageRunsOnItsOwnLibrariesAlone(t *testing.T) {
	needRoot(t)
	here(t)
	tools, cache := standIns(t)
	dir, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	for image, script := range map[string]string{
		"proxyv2":  "iptables-nft --version && iptables-restore --version && nft --version && curl --version && /usr/local/bin/envoy -c true",
		"bookinfo": "ls / && cat /etc/passwd && env && sleep 0 && curl --version",
		"istiod":   "/usr/local/bin/pilot-discovery -c true",
	} {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
		cmd.Dir, cmd.Env = "/", []string{searchPath}
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Chroot:     filepath.Join(dir, image, "rootfs"),
			Credential: &syscall.Credential{Uid: istioUser, Gid: istioUser},
			Cloneflags: syscall.CLONE_NEWNET,
		}
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s: %s", image, out)
	}
}

func TestFoldersThatPilotAgentWritesBelongToItsUser(t *testing.T) {
	needRoot(t)
	here(t)
	tools, cache := standIns(t)
	dir, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	for path, want := range map[string]struct {
		uid  uint32
		mode os.FileMode
	}{
		"etc/istio/proxy":                     {istioUser, 0o755},
		"var/lib/istio/data":                  {istioUser, 0o755},
		"var/run/secrets/workload-spiffe-uds": {istioUser, 0o755},
		"tmp":                                 {0, 0o777 | os.ModeSticky},
		"usr/local/bin":                       {0, 0o755},
		"root":                                {0, 0o700},
	} {
		info, err := os.Stat(filepath.Join(dir, "proxyv2", "rootfs", path))
		require.NoError(t, err)
		assert.Equal(t, want.uid, info.Sys().(*syscall.Stat_t).Uid, path)
		assert.Equal(t, want.mode, info.Mode()&^os.ModeDir, path)
	}
}

// modes are those of all paths of all images of a folder.
func modes(t *testing.T, dir string) map[string]os.FileMode {
	t.Helper()
	found := map[string]os.FileMode{}
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, image := range list {
		root := filepath.Join(dir, image.Name(), "rootfs")
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := os.Lstat(path)
			require.NoError(t, err)
			rel, err := filepath.Rel(root, path)
			found[filepath.Join(image.Name(), rel)] = info.Mode()
			return err
		}))
	}
	return found
}

// Whoever hardens a machine gives root a umask of 077. The programs of the
// images run as other users, who could read none of them.
func TestTheUmaskOfWhoeverMakesAnImageIsNotInIt(t *testing.T) {
	needRoot(t)
	here(t)
	tools, cache := standIns(t)
	dir, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	want := modes(t, dir)

	defer syscall.Umask(syscall.Umask(0o077))
	tools, cache = standIns(t)
	dir, err = Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	assert.Equal(t, want, modes(t, dir))

	// What an earlier version has made so is in the cache.
	for _, spoilt := range []string{"istiod/rootfs", "istiod/rootfs/usr/local/bin/pilot-discovery", "bookinfo/rootfs/usr/bin/sh"} {
		require.NoError(t, os.Chmod(filepath.Join(dir, spoilt), 0o700))
	}
	again, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	assert.Equal(t, dir, again)
	assert.Equal(t, want, modes(t, dir))
}

func TestOnlyFilesOfTheCacheAreSharedWithIt(t *testing.T) {
	needRoot(t)
	here(t)
	tools, cache := standIns(t)
	dir, err := Ensure(t.Context(), tools, cache)
	require.NoError(t, err)
	same := func(a, b string) bool {
		x, err := os.Stat(a)
		require.NoError(t, err)
		y, err := os.Stat(b)
		require.NoError(t, err)
		return os.SameFile(x, y)
	}
	assert.True(t, same(tools.Path(toolchain.Envoy), filepath.Join(dir, "proxyv2/rootfs/usr/local/bin/envoy")))
	assert.False(t, same(shell(t), filepath.Join(dir, "proxyv2/rootfs/usr/bin/sh")))
}

func TestAnotherBuildOfAToolMakesAnotherImage(t *testing.T) {
	m := here(t)
	tools, _ := standIns(t)
	first, err := coredns(tools, m)
	require.NoError(t, err)
	other, _ := standIns(t)
	second, err := coredns(other, m)
	require.NoError(t, err)
	a, err := first.key()
	require.NoError(t, err)
	b, err := second.key()
	require.NoError(t, err)
	assert.NotEqual(t, a, b)
}

func TestRecipesAreTheSameEveryTime(t *testing.T) {
	m := here(t)
	tools, _ := standIns(t)
	keys := map[string]bool{}
	for range 5 {
		r, err := proxy(tools, m)
		require.NoError(t, err)
		key, err := r.key()
		require.NoError(t, err)
		keys[key] = true
	}
	assert.Len(t, keys, 1)
}

// Sad paths.

func TestAMissingToolIsNamed(t *testing.T) {
	_, err := coredns(toolchain.Tools{}, machine{})
	assert.ErrorContains(t, err, "coredns is missing")
}

func TestAMissingProgramOfThisMachineIsNamed(t *testing.T) {
	m := here(t)
	m.lookPath = func(string) (string, error) { return "", exec.ErrNotFound }
	tools, _ := standIns(t)
	_, err := bookinfo(tools, m)
	require.ErrorIs(t, err, errMissing)
	assert.ErrorContains(t, err, "program sh")
}

func TestAnOptionalProgramThatIsAScriptIsLeftOut(t *testing.T) {
	m := here(t)
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755))
	m.lookPath = func(string) (string, error) { return script, nil }
	r := base("x", 1, "x")
	require.NoError(t, r.takeProgram(m, "awk", "/usr/bin/awk", optional))
	assert.NotContains(t, r.entries, "/usr/bin/awk")
	require.ErrorIs(t, r.takeProgram(m, "awk", "/usr/bin/awk", required), errNotELF)
}

func TestPathsOfAnUnmergedMachineAreMergedInTheImage(t *testing.T) {
	for from, want := range map[string]string{
		"/lib/x86_64-linux-gnu/libc.so.6": "/usr/lib/x86_64-linux-gnu/libc.so.6",
		"/lib64/ld-linux-x86-64.so.2":     "/usr/lib64/ld-linux-x86-64.so.2",
		"/bin/sh":                         "/usr/bin/sh",
		"/usr/bin/sh":                     "/usr/bin/sh",
		"/library/x":                      "/library/x",
	} {
		assert.Equal(t, want, merged(from))
	}
}
