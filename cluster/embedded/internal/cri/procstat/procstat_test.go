package procstat

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAStatLineIsReadWhateverTheCommandIsNamed(t *testing.T) {
	const line = `42 (a) b (c) S 1 42 42 0 -1 4194560 300 0 0 0 7 5 3 2 20 0 4 0 100 1000000 50 18446744073709551615 1 1`
	u, err := parseStat([]byte(line))
	require.NoError(t, err)
	assert.Equal(t, 170*time.Millisecond, u.CPU)
	assert.Equal(t, uint64(50*os.Getpagesize()), u.Memory)
}

func TestAMalformedStatLineIsAnError(t *testing.T) {
	for _, line := range []string{"", "42", "42 (a) S 1", "42 (a) S 1 2 3 4 5 6 7 8 9 10 x 5 3 2 20 0 4 0 100 1 50 1"} {
		_, err := parseStat([]byte(line))
		assert.Error(t, err, line)
	}
}

func TestTheCallerIsFoundInItsOwnMountNamespace(t *testing.T) {
	ns, err := MountNamespace(os.Getpid())
	require.NoError(t, err)
	all, err := ByMountNamespace()
	require.NoError(t, err)
	assert.Positive(t, all[ns].Processes)
	assert.Positive(t, all[ns].Memory)
}

// Both would end the test, and the node.
func TestTheCallersNamespaceIsNeverKilled(t *testing.T) {
	ns, err := MountNamespace(os.Getpid())
	require.NoError(t, err)
	KillMountNamespace(ns)
	KillMountNamespace("")
}
