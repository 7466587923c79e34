package plan_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/suite/internal/plan"
)

// FuzzLoad: whatever a feature file holds, each scenario that is read has an
// identity of its own and a place in the file.
func FuzzLoad(f *testing.F) {
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(f, err)
	for _, file := range files {
		content, err := fs.ReadFile(features.FS, file)
		require.NoError(f, err)
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		all, err := plan.Load(fstest.MapFS{"one.feature": {Data: content}})
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, s := range all {
			require.False(t, seen[s.ID], "twice: %s", s.ID)
			seen[s.ID] = true
			require.Positive(t, s.Line)
			require.NotNil(t, s.Pickle)
			here, err := plan.ByPaths(all, []string{s.Where()})
			require.NoError(t, err)
			require.NotEmpty(t, here)
		}
	})
}
