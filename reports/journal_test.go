package reports_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
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

// Whoever goes on with "latest" while its run is alive would write into its
// journal: a second verdict, and no report of either.
func TestNobodyGoesOnWithARunThatIsStillGoing(t *testing.T) {
	path := filepath.Join(t.TempDir(), reports.JournalFile)
	live, err := reports.CreateJournal(path, aRun())
	require.NoError(t, err)
	require.NoError(t, live.Verdict(scenario("a", reports.Passed, "")))
	refused := func() {
		t.Helper()
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		_, _, err = reports.ContinueJournal(path, started)
		require.ErrorContains(t, err, path+": its run is still going")
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after))
	}
	refused()
	require.NoError(t, live.Close(reports.End{Finished: started, Interrupted: true}))
	resumed, _, err := reports.ContinueJournal(path, started)
	require.NoError(t, err)
	refused()
	require.NoError(t, errors.Join(resumed.Verdict(scenario("b", reports.Passed, "")), resumed.Close(ended())))
	_, err = reports.Rebuild(path)
	require.NoError(t, err)
}

// A full disk takes half a line. An end behind it would be a line that nobody
// can read, or would say that a run ended whose verdicts are missing.
func TestARunWhoseDiskWasFullGoesOnWhereTheDiskWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), reports.JournalFile)
	journal, err := reports.CreateJournal(path, aRun())
	require.NoError(t, err)
	require.NoError(t, journal.Verdict(scenario("a", reports.Passed, "")))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	room(t, len(whole)+10, func() {
		require.ErrorIs(t, journal.Verdict(scenario("b", reports.Passed, "")), unix.EFBIG)
	})
	torn, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, torn, len(whole)+10, "nothing was torn")
	require.ErrorContains(t, journal.Close(ended()), "--resume")
	before, err := reports.Rebuild(path)
	require.NoError(t, err)
	require.Zero(t, before.Finished)
	again, before, err := reports.ContinueJournal(path, started)
	require.NoError(t, err)
	require.Len(t, before.Scenarios, 1)
	require.NoError(t, errors.Join(again.Verdict(scenario("b", reports.Passed, "")), again.Close(ended())))
	after, err := reports.Rebuild(path)
	require.NoError(t, err)
	require.Len(t, after.Scenarios, 2)
}

// room lets no file of this process grow beyond so many bytes meanwhile.
func room(t *testing.T, size int, meanwhile func()) {
	t.Helper()
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	var before unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &before))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(size), Max: before.Max}))
	defer func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &before)) }()
	meanwhile()
}
