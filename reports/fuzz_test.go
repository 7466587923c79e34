package reports_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

// FuzzRebuild: whatever a journal holds, what is taken for a report has only
// verdicts that can stand, counts all of them, and says the same when its
// records are written again.
func FuzzRebuild(f *testing.F) {
	for _, name := range []string{"journal.jsonl"} {
		if content, err := os.ReadFile(filepath.Join("testdata", name)); err == nil {
			f.Add(content)
		}
	}
	for _, line := range []string{
		`{"run":{"id":"r","implementation":{"name":"x"}}}`,
		`{"scenario":{"id":"a/b","feature":"A","name":"B","file":"a.feature","line":3,"verdict":"passed","durationSeconds":1}}`,
		`{"scenario":{"id":"a/c","feature":"A","name":"C","file":"a.feature","line":4,"verdict":"inconclusive","reason":"died","durationSeconds":1}}`,
		`{"resumed":"2026-01-02T03:04:05Z"}`, `{"end":{"finished":"2026-01-02T03:04:05Z"}}`,
	} {
		f.Add([]byte(`{"run":{"id":"r","implementation":{"name":"x"}}}` + "\n" + line + "\n"))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		r, err := reports.Rebuild(path)
		if err != nil {
			return
		}
		total := 0
		for _, v := range reports.Verdicts() {
			total += r.Summary.Count(v)
		}
		require.Equal(t, len(r.Scenarios), total)
		_ = r.ExitCode()
		again := filepath.Join(t.TempDir(), "again")
		journal, err := reports.CreateJournal(again, r.Run)
		require.NoError(t, err)
		for _, s := range r.Scenarios {
			require.NoError(t, s.Validate())
			require.NoError(t, journal.Verdict(s))
		}
		require.NoError(t, journal.Close(r.End))
		same, err := reports.Rebuild(again)
		require.NoError(t, err)
		r.Resumed, same.Resumed = nil, nil
		require.Equal(t, r.ID, same.ID)
		require.Equal(t, r.Summary, same.Summary)
		require.Equal(t, r.Profiles, same.Profiles)
	})
}
