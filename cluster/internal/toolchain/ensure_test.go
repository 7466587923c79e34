package toolchain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/command"
)

func TestEnsureGetsEveryToolAndASecondCallBuildsNothing(t *testing.T) {
	f, c := newFake(t)
	tools, err := ensure(t.Context(), c, f.host())
	require.NoError(t, err)
	for _, tool := range All() {
		assert.FileExists(t, tools.Path(tool), tool)
		assert.NotEmpty(t, tools.Identity(tool), tool)
		assert.FileExists(t, filepath.Join(tools.Dir, string(tool)))
	}
	assert.FileExists(t, tools.EnvoyBootstrap)
	assert.Equal(t, "1.38.0", tools.EnvoyVersion)
	built := f.calls("go build")
	assert.Equal(t, len(sets()), built)

	again, err := ensure(t.Context(), c, f.host())
	require.NoError(t, err)
	assert.Equal(t, tools, again)
	assert.Equal(t, built, f.calls("go build"))
}

// Whoever hardens a machine gives root a umask of 077. What is linked into the
// images runs as other users, who could read none of it.
func TestTheUmaskOfWhoeverGetsTheToolsIsNotInThem(t *testing.T) {
	f, c := newFake(t)
	defer syscall.Umask(syscall.Umask(0o077))
	for _, got := range []string{"now", "by an earlier version"} {
		tools, err := ensure(t.Context(), c, f.host())
		require.NoError(t, err)
		want := map[string]os.FileMode{tools.EnvoyBootstrap: 0o644}
		for _, tool := range All() {
			if tool != Envoy { // that is somebody's own
				want[tools.Path(tool)], want[filepath.Dir(tools.Path(tool))] = 0o755, 0o755
			}
		}
		for path, mode := range want {
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, mode, info.Mode().Perm(), "%s, got %s", path, got)
		}
		for path, mode := range want {
			require.NoError(t, os.Chmod(path, mode&0o700))
		}
	}
}

func TestConcurrentRunsBuildEachSetOnce(t *testing.T) {
	f, c := newFake(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			_, err := ensure(t.Context(), c, f.host())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Equal(t, len(sets()), f.calls("go build"))
}

func TestAChangeOfModulesFlagsCompilerOrSourceIsAnotherBuild(t *testing.T) {
	_, c := newFake(t)
	byName := func(n setName) set {
		return sets()[slices.IndexFunc(sets(), func(s set) bool { return s.name == n })]
	}
	key := func(s set, version, arch string) string {
		k, err := s.key(c.SourceDir, golang{version: version}, arch)
		require.NoError(t, err)
		return k
	}
	s := byName(etcd)
	before := key(s, "go1.26.8", "amd64")
	assert.Equal(t, before, key(s, "go1.26.8", "amd64"))
	assert.NotEqual(t, before, key(s, "go1.26.9", "amd64"))
	assert.NotEqual(t, before, key(s, "go1.26.8", "arm64"))
	other := s
	other.ldflags = "-X a=b"
	assert.NotEqual(t, before, key(other, "go1.26.8", "amd64"))
	put(t, filepath.Join(s.module(c.SourceDir), "go.sum"), "changed")
	assert.NotEqual(t, before, key(s, "go1.26.8", "amd64"))

	fixture := byName(fixtures)
	before = key(fixture, "go1.26.8", "amd64")
	put(t, filepath.Join(c.SourceDir, "traffic/wire/wire_test.go"), "package wire\n")
	assert.Equal(t, before, key(fixture, "go1.26.8", "amd64"), "tests are not built in")
	put(t, filepath.Join(c.SourceDir, "traffic/wire/wire.go"), "package wire\n")
	assert.NotEqual(t, before, key(fixture, "go1.26.8", "amd64"), "an imported package of ours counts")
}

func TestAnEmbeddedFileOfASubfolderIsPartOfThePackage(t *testing.T) {
	_, c := newFake(t)
	fixture := sets()[slices.IndexFunc(sets(), func(s set) bool { return s.name == fixtures })]
	key := func() string {
		k, err := fixture.key(c.SourceDir, golang{version: "go1.26.8"}, "amd64")
		require.NoError(t, err)
		return k
	}
	at := filepath.Join(c.SourceDir, "traffic/wire")
	put(t, filepath.Join(at, "definitions/deep/peer.yaml"), "a: 1")
	put(t, filepath.Join(at, "other/other.go"), "package other\n")
	before := key()
	assert.Equal(t, before, key())

	put(t, filepath.Join(at, "definitions/deep/peer.yaml"), "a: 2")
	changed := key()
	assert.NotEqual(t, before, changed)
	require.NoError(t, os.Rename(filepath.Join(at, "definitions/deep"), filepath.Join(at, "definitions/steep")))
	renamed := key()
	assert.NotEqual(t, changed, renamed, "its name is how the program finds it")

	put(t, filepath.Join(at, "other/other.go"), "package other\n\nconst changed = true\n")
	put(t, filepath.Join(at, "other/more/data.yaml"), "a: 1")
	put(t, filepath.Join(at, "testdata/golden.yaml"), "a: 1")
	assert.Equal(t, renamed, key(), "a package that nobody imports and what tests read are not built in")
}

func TestTheCompilerIsNotSteeredByTheCallersEnvironment(t *testing.T) {
	f, _ := newFake(t)
	env := goEnv(f.host())
	assert.Contains(t, env, "GOFLAGS=-mod=readonly")
	assert.Contains(t, env, "GOARCH=amd64")
	assert.Contains(t, env, "CGO_ENABLED=0")
	assert.Contains(t, env, "GOPROXY=p", "where modules come from is the caller's")
	assert.NotContains(t, env, "GOFLAGS=-race")
	assert.NotContains(t, env, "GOARCH=mips")
}

func TestTheEstimateFollowsWhatIsLeftToCompileAndTheCores(t *testing.T) {
	s := set{cold: 100 * time.Second, link: 20 * time.Second}
	assert.Equal(t, 100*time.Second, s.estimate(1, 2))
	assert.Equal(t, 20*time.Second, s.estimate(0, 2))
	assert.Equal(t, 25*time.Second, s.estimate(1, 8))
	assert.Equal(t, 200*time.Second, s.estimate(1, 0), "an unknown number of cores counts as one")
}

// Sad paths.

func nothingHalfBuilt(t *testing.T, c Config) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(c.toolsDir(), ".*.half"))
	require.NoError(t, err)
	assert.Empty(t, left)
	left, err = filepath.Glob(filepath.Join(c.toolsDir(), "kubernetes-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAFailedBuildIsOneErrorWithSetCommandAndLastLines(t *testing.T) {
	f, c := newFake(t)
	f.onBuild = func(_ context.Context, dir string) error {
		_ = os.WriteFile(filepath.Join(dir, "kubelet"), nil, 0o755)
		return &command.Failure{Command: command.Command{Argv: []string{"go", "build"}}, ExitCode: 1, Tail: []string{"x.go:1: undefined: y"}}
	}
	_, err := ensure(t.Context(), c, f.host())
	for _, want := range []string{"kubernetes", "go build", "code 1", "undefined: y"} {
		require.ErrorContains(t, err, want)
	}
	nothingHalfBuilt(t, c)
}

func TestTheEndOfTheContextLeavesNothingHalfBuilt(t *testing.T) {
	f, c := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.onBuild = func(ctx context.Context, _ string) error {
		cancel()
		return ctx.Err()
	}
	_, err := ensure(ctx, c, f.host())
	require.ErrorIs(t, err, context.Canceled)
	nothingHalfBuilt(t, c)
}

func TestAFaultOfTheNetworkIsTriedAgainAndAnyOtherIsNot(t *testing.T) {
	hiccup := &command.Failure{Tail: []string{"dial tcp 192.0.2.1:443: i/o timeout"}}
	wrong := &command.Failure{Tail: []string{"verifying module: checksum mismatch"}}
	for name, row := range map[string]struct {
		faults []error
		ok     bool
		tries  int
	}{
		"two hiccups":   {[]error{hiccup, hiccup}, true, len(sets()) + 2},
		"three hiccups": {[]error{hiccup, hiccup, hiccup}, false, 3},
		"a bad sum":     {[]error{wrong}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, c := newFake(t)
			f.listFail = row.faults
			_, err := ensure(t.Context(), c, f.host())
			assert.Equal(t, row.ok, err == nil, "%v", err)
			assert.Equal(t, row.tries, f.calls("go list -deps"))
		})
	}
}

func TestAFullDiskIsSaidBeforeTheCompilerStarts(t *testing.T) {
	f, c := newFake(t)
	f.freeMB = 300
	_, err := ensure(t.Context(), c, f.host())
	require.ErrorContains(t, err, "300 MB are free")
	require.ErrorContains(t, err, "GOCACHE")
	assert.Zero(t, f.calls("go build"))
	nothingHalfBuilt(t, c)
}

func TestWithoutGoTheErrorSaysWhereToGetIt(t *testing.T) {
	f, c := newFake(t)
	delete(f.present, "go")
	_, err := ensure(t.Context(), c, f.host())
	assert.ErrorContains(t, err, "install Go 1.26")
}

func TestAFolderThatIsNoSourceTreeIsSaidSo(t *testing.T) {
	_, err := FindSource(t.TempDir())
	assert.ErrorContains(t, err, "inside a clone")
}

func TestTheSourceTreeIsFoundFromWithin(t *testing.T) {
	root := sourceTree(t)
	put(t, filepath.Join(root, "other/go.mod"), "module example.com/other\n")
	found, err := FindSource(filepath.Join(root, "other"))
	require.NoError(t, err)
	assert.Equal(t, root, found)
}

func TestASourceThatDoesNotParseIsNamed(t *testing.T) {
	f, c := newFake(t)
	put(t, filepath.Join(c.SourceDir, "fixtures/bookinfo/main.go"), "no go\n")
	_, err := ensure(t.Context(), c, f.host())
	assert.ErrorContains(t, err, "fixtures/bookinfo/main.go:1")
}

func TestNetworkFaultsAreOnlyTheGoCommands(t *testing.T) {
	assert.False(t, networkFault(nil))
	assert.False(t, networkFault(errors.New("dial tcp")))
}

// TestWarmEnsureOnThisMachine is the claim that a second run costs nothing; it
// is checked where the tools are there.
func TestWarmEnsureOnThisMachine(t *testing.T) {
	items, err := Status(t.Context(), Config{})
	if err != nil {
		t.Skip(err)
	}
	for _, i := range items {
		if !i.Present {
			t.Skip(i.Name + " is not built here")
		}
	}
	// What else the machine does can only make it slower: the quickest tells
	// what it costs.
	quickest := time.Hour
	for range 5 {
		began := time.Now()
		tools, err := Ensure(t.Context(), Config{})
		quickest = min(quickest, time.Since(began))
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(tools.Path(Kubectl), "/kubectl"))
	}
	assert.Less(t, quickest, 200*time.Millisecond)
}
