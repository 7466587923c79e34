package existing_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/existing"
)

// A run that is killed cannot take its kubeconfigs away, and they hold tokens and
// keys.
func TestCredentialsOfARunThatIsDeadAreTakenAwayByTheNextOne(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	o := existing.Options{Kubeconfig: kubeconfig(t, "https://here.example"), Contexts: []existing.Context{{Name: "c1", Context: "one"}}}
	alive := open(t, o)
	theirs := filepath.Dir(alive.Clusters()[0].Kubeconfig())
	dead := filepath.Join(temp, "meshfed-existing-dead")
	require.NoError(t, os.CopyFS(dead, os.DirFS(theirs)), "as it was, and nobody holds it")
	require.FileExists(t, filepath.Join(dead, "c1.kubeconfig"))
	begun := filepath.Join(temp, "meshfed-existing-begun")
	require.NoError(t, os.Mkdir(begun, 0o700))
	foreign := filepath.Join(temp, "meshfed-existing-foreign")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.CopyFS(elsewhere, os.DirFS(theirs)))
	require.NoError(t, os.Symlink(elsewhere, foreign))

	next := open(t, o)
	assert.NoDirExists(t, dead)
	assert.FileExists(t, alive.Clusters()[0].Kubeconfig())
	assert.FileExists(t, next.Clusters()[0].Kubeconfig())
	assert.DirExists(t, begun, "of a run that is about to begin")
	assert.FileExists(t, filepath.Join(foreign, "c1.kubeconfig"), "it is no folder of ours")

	for range 2 {
		require.NoError(t, alive.Delete(t.Context()))
	}
	assert.NoDirExists(t, theirs)
	assert.FileExists(t, next.Clusters()[0].Kubeconfig())
}
