package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

// ended is the folder of a run that has come to its end and is not sealed yet, as
// it is while the logs of its lab are exported.
func ended(t *testing.T) reports.Folder {
	folder, err := reports.CreateFolder(t.TempDir(), "run")
	require.NoError(t, err)
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	journal, err := reports.CreateJournal(folder.Journal(), reports.Run{ID: folder.ID(), SuiteVersion: Version(), Started: at})
	require.NoError(t, err)
	require.NoError(t, journal.Close(reports.End{Finished: at, SetupError: "no meshes"}))
	report, err := reports.Rebuild(folder.Journal())
	require.NoError(t, err)
	require.NoError(t, publish.Write(folder, report))
	return folder
}

// While the logs are exported nobody holds the run: whoever seals it with a key
// meanwhile has succeeded, and finds the signature gone a moment later.
func TestARunWithoutAKeyLeavesASignatureThatCameBeforeItsSeal(t *testing.T) {
	folder, file := ended(t), filepath.Join(t.TempDir(), "mesh.key")
	require.NoError(t, publish.NewKey(file))
	key, err := publish.ReadKey(file)
	require.NoError(t, err)
	_, err = publish.Finish(t.Context(), folder, key)
	require.NoError(t, err)
	var errs bytes.Buffer
	require.ErrorContains(t, seal(t.Context(), &errs, folder.Path, nil), "--sign-key")
	public, err := publish.ReadPublicKey(file + ".pub")
	require.NoError(t, err)
	_, err = publish.Verify(t.Context(), folder.Path, public)
	require.NoError(t, err)
	require.NoError(t, seal(t.Context(), &errs, folder.Path, key))
	assert.Empty(t, errs.String())
}

// Two that write one manifest leave a mixture.
func TestARunThatSomebodyElseHasIsLeftToThemToSeal(t *testing.T) {
	folder := ended(t)
	release, err := reports.HoldJournal(folder.Journal())
	require.NoError(t, err)
	var errs bytes.Buffer
	require.NoError(t, seal(t.Context(), &errs, folder.Path, nil))
	assert.NoFileExists(t, filepath.Join(folder.Path, publish.ManifestFile))
	assert.Contains(t, errs.String(), "conformance report seal "+folder.Path)
	require.NoError(t, release())
	errs.Reset()
	require.NoError(t, seal(t.Context(), &errs, folder.Path, nil))
	assert.FileExists(t, filepath.Join(folder.Path, publish.ManifestFile))
	assert.Empty(t, errs.String())
	require.NoError(t, os.Remove(folder.Journal()))
	require.ErrorContains(t, seal(t.Context(), &errs, folder.Path, nil), "when that is mended")
}
