package play_test

import (
	"bytes"
	"io/fs"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/suite/internal/play"
)

// pickles are the scenarios of a feature file, none if it is not one.
func pickles(content []byte) []*messages.Pickle {
	newID := (&messages.Incrementing{}).NewId
	document, err := gherkin.ParseGherkinDocument(bytes.NewReader(content), newID)
	if err != nil || document.Feature == nil {
		return nil
	}
	return gherkin.Pickles(*document, "one.feature", newID)
}

// FuzzRender: whatever scenario can be read, what is played in its place has the
// same steps and arguments.
func FuzzRender(f *testing.F) {
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(f, err)
	for _, file := range files {
		content, err := fs.ReadFile(features.FS, file)
		require.NoError(f, err)
		f.Add(content)
	}
	f.Add([]byte("Feature: f\n Scenario: s\n  Given x\n   | a \\| \\n \\\\ | |\n  Then y\n   \"\"\"yaml\n    \\\"\\\"\\\"\n   \"\"\"\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, p := range pickles(content) {
			again := pickles(play.Render(p))
			if len(p.Steps) == 0 {
				require.Empty(t, again)
				continue
			}
			require.Len(t, again, 1)
			require.Len(t, again[0].Steps, len(p.Steps))
			for i, step := range p.Steps {
				require.Equal(t, step.Text, again[0].Steps[i].Text)
				require.Equal(t, step.Argument, again[0].Steps[i].Argument)
			}
		}
	})
}
