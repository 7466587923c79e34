package namespaces

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func current(t *testing.T, k Kind) string {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ns, err := os.Readlink("/proc/thread-self/ns/" + k.String())
	require.NoError(t, err)
	return ns
}

func TestNamespacesAreEnteredByTheFunctionAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces")
	}
	before := current(t, UTS)
	var made string
	set, err := New(func() error { made = current(t, UTS); return nil }, UTS, IPC)
	require.NoError(t, err)
	defer set.Close()
	assert.NotEqual(t, before, made)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			assert.NoError(t, set.Do(func() error { assert.Equal(t, made, current(t, UTS)); return nil }))
			assert.Equal(t, before, current(t, UTS), "no thread stays behind")
		})
	}
	all.Wait()
}

func TestAFailedSetupLeavesNothingOpen(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces")
	}
	fault := errors.New("no")
	set, err := New(func() error { return fault }, UTS)
	assert.ErrorIs(t, err, fault)
	assert.Empty(t, set)
}

func TestTheEmptySetIsTheCallersOwnNamespaces(t *testing.T) {
	before := current(t, Net)
	assert.NoError(t, Set{}.Do(func() error { assert.Equal(t, before, current(t, Net)); return nil }))
	_, ok := Set{}.Get(Net)
	assert.False(t, ok)
}
