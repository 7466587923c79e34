package reports_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/reports"
)

// Where what a kill has torn cannot be cut off, nothing may be written behind it:
// the two together are a line that nobody can read, and all verdicts are lost.
func TestNothingIsWrittenBehindWhatIsTorn(t *testing.T) {
	_, content := journal(t, allVerdicts())
	torn := content[:len(content)-10]
	descriptor, err := unix.MemfdCreate("journal", unix.MFD_ALLOW_SEALING)
	require.NoError(t, err)
	file := os.NewFile(uintptr(descriptor), "journal")
	defer file.Close()
	_, err = file.Write(torn)
	require.NoError(t, err)
	_, err = unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK)
	require.NoError(t, err)
	path := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	_, _, err = reports.ContinueJournal(path, started)
	require.ErrorIs(t, err, unix.EPERM)
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(torn), string(left))
}
