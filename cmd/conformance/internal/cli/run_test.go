package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

// untouched is a program whose provider must not be asked for anything.
func untouched(t *testing.T) Program {
	return Program{
		Engines: engine.Known{Engines: []engine.Engine{builtin.New("")}},
		Providers: Providers{"embedded": func(*os.File) (cluster.Provider, error) {
			t.Error("a place for meshes is asked for")
			return nil, os.ErrInvalid
		}},
	}
}

// A key that cannot be read is found out before the meshes are made: after them
// it would leave a run that nobody can seal.
func TestABadKeyIsRefusedBeforeAnythingIsMade(t *testing.T) {
	dir := t.TempDir()
	open, torn := filepath.Join(dir, "open.key"), filepath.Join(dir, "torn.key")
	require.NoError(t, publish.NewKey(open))
	require.NoError(t, os.Chmod(open, 0o644))
	require.NoError(t, os.WriteFile(torn, []byte("-----BEGIN"), 0o600))
	for want, key := range map[string]string{
		"no such file":          filepath.Join(dir, "absent.key"),
		"can be read by others": open,
		torn:                    torn,
	} {
		for _, command := range []string{"run", "load"} {
			out := filepath.Join(t.TempDir(), "out")
			var stdout, errs bytes.Buffer
			code := untouched(t).Main([]string{command, "--out", out, "--sign-key", key}, &stdout, &errs)
			assert.Equal(t, reports.ExitUsage, code, "%s: %s", command, errs.String())
			assert.Contains(t, errs.String(), "--sign-key: ", command)
			assert.Contains(t, errs.String(), want, command)
			assert.NoDirExists(t, out, command)
		}
	}
}

// barren is a provider that has no lab and can make none.
type barren struct{ cluster.Provider }

func (barren) Open(context.Context, string) (cluster.Lab, error) { return nil, cluster.ErrNoLab }

func (barren) Create(context.Context, string, cluster.Topology) (cluster.Lab, error) {
	return nil, os.ErrPermission
}

// Also a run whose meshes never came up is sealed, with the key that was given.
func TestARunIsSignedWithItsKey(t *testing.T) {
	key := filepath.Join(t.TempDir(), "mesh.key")
	require.NoError(t, publish.NewKey(key))
	for _, args := range [][]string{{"--sign-key", key}, {}} {
		p, dir := untouched(t), t.TempDir()
		p.Providers["embedded"] = func(*os.File) (cluster.Provider, error) { return barren{}, nil }
		var out, errs bytes.Buffer
		code := p.Main(append([]string{"run", "--out", dir}, args...), &out, &errs)
		assert.Equal(t, reports.ExitInconclusive, code, errs.String())
		assert.FileExists(t, filepath.Join(dir, "latest", publish.ManifestFile))
		if len(args) == 0 {
			assert.NoFileExists(t, filepath.Join(dir, "latest", publish.EnvelopeFile))
			continue
		}
		assert.FileExists(t, filepath.Join(dir, "latest", publish.EnvelopeFile))
		public, err := publish.ReadPublicKey(key + ".pub")
		require.NoError(t, err)
		_, err = publish.Verify(t.Context(), filepath.Join(dir, "latest"), public)
		assert.NoError(t, err)
	}
}

// The seal is made anew when a run that goes on ends: without the key nothing
// would be left of the signature.
func TestNobodyGoesOnWithoutItsKeyWithARunThatIsSigned(t *testing.T) {
	dir := t.TempDir()
	key, out := filepath.Join(dir, "mesh.key"), filepath.Join(dir, "out")
	require.NoError(t, publish.NewKey(key))
	p := untouched(t)
	p.Providers["embedded"] = func(*os.File) (cluster.Provider, error) { return barren{}, nil }
	var stdout, errs bytes.Buffer
	p.Main([]string{"run", "--out", out, "--sign-key", key}, &stdout, &errs)
	require.FileExists(t, filepath.Join(out, "latest", publish.EnvelopeFile), errs.String())
	errs.Reset()
	code := untouched(t).Main([]string{"run", "--out", out, "--resume", "latest"}, &stdout, &errs)
	assert.Equal(t, reports.ExitUsage, code, errs.String())
	assert.Contains(t, errs.String(), "--resume latest: the run is signed")
	assert.FileExists(t, filepath.Join(out, "latest", publish.EnvelopeFile))
}

// three is a provider whose lab is up and has three meshes.
type three struct{ cluster.Provider }

func (three) Open(context.Context, string) (cluster.Lab, error) { return threeMeshes{}, nil }

type threeMeshes struct{ slow }

func (threeMeshes) Clusters() []cluster.Cluster { return make([]cluster.Cluster, 3) }

func TestANumberOfMeshesThatTheLabDoesNotHaveIsRefused(t *testing.T) {
	options := filepath.Join(t.TempDir(), "options.yaml")
	require.NoError(t, os.WriteFile(options, []byte("clusters: 2\n"), 0o600))
	for _, args := range [][]string{
		{"run", "--clusters", "2"},
		{"run", "--options", options},
		{"load", "--clusters", "2"},
		{"mutants", "--clusters", "2"},
		{"false-alarms", "--clusters", "2"},
	} {
		p, dir := untouched(t), filepath.Join(t.TempDir(), "out")
		p.Providers["embedded"] = func(*os.File) (cluster.Provider, error) { return three{}, nil }
		if args[0] != "mutants" {
			args = append(args, "--out", dir)
		}
		var out, errs bytes.Buffer
		code := p.Main(append(args, "--lab", "slow"), &out, &errs)
		assert.Equal(t, reports.ExitUsage, code, "%s: %s", args, errs.String())
		assert.Contains(t, errs.String(), "--clusters 2: lab slow is up and has 3", args)
		assert.NoDirExists(t, dir, args)
	}
}

func TestALabThatIsUpIsTakenAsItIsIfNoNumberIsAskedFor(t *testing.T) {
	at := &place{flags: runFlags{lab: "slow", clusters: 2}, provider: three{}}
	require.NoError(t, at.open(t.Context()))
	assert.Len(t, at.lab.Clusters(), 3)
	at = &place{flags: runFlags{clusters: 2, counted: true}, provider: barren{}}
	require.NoError(t, at.open(t.Context()), "a lab that is not up is made so")
}

func TestAKeyIsReadOnlyIfThereIsOne(t *testing.T) {
	key, err := signingKey("")
	require.NoError(t, err)
	assert.Nil(t, key)
	name := filepath.Join(t.TempDir(), "mesh.key")
	require.NoError(t, publish.NewKey(name))
	key, err = signingKey(name)
	require.NoError(t, err)
	assert.NotEmpty(t, key)
}
