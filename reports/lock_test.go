package reports

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// NFS without lockd and some FUSE have no locks. A run whose folder is there would
// end behind a set-up of minutes, without one verdict.
func TestAFileSystemWithoutLocksTakesARun(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), JournalFile))
	require.NoError(t, err)
	defer file.Close()
	says := func(err error) func(int, int) error { return func(int, int) error { return err } }
	for _, none := range []unix.Errno{unix.ENOLCK, unix.ENOSYS, unix.EOPNOTSUPP} {
		require.NoError(t, lock(file, says(none)), none)
	}
	require.ErrorContains(t, lock(file, says(unix.EWOULDBLOCK)), file.Name()+": its run is still going")
	require.ErrorIs(t, lock(file, says(unix.EIO)), unix.EIO, "whether somebody has it is not known")
	require.NoError(t, lock(file, says(nil)))
}
