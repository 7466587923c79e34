package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNetworksDoNotMeetEachOtherNorTheLink(t *testing.T) {
	for n := 1; n <= 254; n++ {
		p, err := Subnet(n)
		require.NoError(t, err)
		assert.True(t, supernet().Overlaps(p))
		assert.False(t, p.Contains(hostAddress()), p)
		assert.False(t, p.Contains(insideAddress()), p)
		if n > 1 {
			before, err := Subnet(n - 1)
			require.NoError(t, err)
			assert.False(t, before.Overlaps(p))
		}
	}
	for _, bad := range []int{-1, 0, 255} {
		_, err := Subnet(bad)
		assert.Error(t, err, bad)
	}
}

func TestWhatAKilledEngineLeftIsNotStartedAgain(t *testing.T) {
	e := Engine{Dir: t.TempDir(), DataDir: filepath.Join(t.TempDir(), "data")}
	stale := filepath.Join(e.DataDir, "containers", "x")
	require.NoError(t, os.MkdirAll(stale, 0o755))
	require.NoError(t, e.prepareData())
	assert.NoDirExists(t, stale)

	kept := filepath.Join(e.DataDir, "image")
	require.NoError(t, os.MkdirAll(kept, 0o755))
	require.NoError(t, os.WriteFile(e.cleanMarker(), nil, 0o600))
	require.NoError(t, e.prepareData())
	assert.DirExists(t, kept, "images of an engine that was stopped are used again")
	assert.NoFileExists(t, e.cleanMarker(), "until this one is stopped, too")
}

func TestAnEngineIsAliveForAsLongAsItsLockIsHeld(t *testing.T) {
	e := Engine{Dir: t.TempDir(), Lock: filepath.Join(t.TempDir(), "lock")}
	assert.False(t, e.Alive())
	held, err := e.become()
	require.NoError(t, err)
	assert.True(t, e.Alive())

	other := Engine{Dir: t.TempDir(), Lock: e.Lock}
	assert.False(t, other.Alive(), "another's is not its own")
	_, err = other.become()
	require.ErrorContains(t, err, e.Dir, "a machine has one")

	require.NoError(t, held.Close())
	assert.False(t, e.Alive())
}

func TestGroupsAreRemovedFromTheLeavesUp(t *testing.T) {
	root := filepath.Join(t.TempDir(), "meshfed-kind")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "a", "b"), 0o755))
	require.NoError(t, removeGroup(root))
	assert.NoDirExists(t, root)
	require.NoError(t, removeGroup(root), "twice is no fault")
}
