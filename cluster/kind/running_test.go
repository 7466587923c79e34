package kind

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
)

// engineWith puts a client into PATH whose engine has for the first cluster a
// node that runs, and for the second one in that state.
func engineWith(t *testing.T, second string) {
	t.Helper()
	dir := t.TempDir()
	client := `#!/bin/sh
case "$1:$*" in
ps:*two-c1*) echo node1 ;;
ps:*--all*two-c2*|ps:*two-c2*--all*) echo node2 ;;
ps:*two-c2*) [ ` + second + ` = stopped ] || echo node2 ;;
*) exit 1 ;;
esac
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte(client), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func twoClusters(t *testing.T) *Provider {
	t.Helper()
	p, err := New(Options{StateDir: t.TempDir(), CacheDir: t.TempDir()})
	require.NoError(t, err)
	l := p.lab("two")
	require.NoError(t, l.begin(cluster.TopologyOf(2), parts{}, enginePlace{}))
	l.record.Ready = true
	require.NoError(t, l.writeRecord())
	return p
}

func TestALabWithAStoppedNodeIsNotUp(t *testing.T) {
	engineWith(t, "stopped")
	p := twoClusters(t)
	_, err := p.Open(t.Context(), "two")
	require.ErrorContains(t, err, "1 of 2 run")
	names, err := p.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, names)

	l := p.lab("two")
	require.NoError(t, l.readRecord())
	found, err := l.docker().nodes(t.Context(), l.record.Clusters)
	require.NoError(t, err)
	assert.Equal(t, []string{"node1", "node2"}, found, "what is to be removed has the stopped one")
}

func TestALabWhoseNodesAllRunIsUp(t *testing.T) {
	engineWith(t, "running")
	_, err := twoClusters(t).Open(t.Context(), "two")
	assert.NoError(t, err)
}
