package steps

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestObjectsAreComparedWithThoseOfTheSameMeshBefore(t *testing.T) {
	holds := []string{"Gateway x"}
	w := &World{Environment: Environment{Leftovers: func(context.Context, string) ([]string, error) { return holds, nil }}}
	require.ErrorContains(t, w.undisturbed(t.Context(), "c2"), "nothing hostile was applied in c2: begin with that")
	w.hostile = &hostile{mesh: "c1", before: holds}
	require.ErrorContains(t, w.undisturbed(t.Context(), "c2"), "nothing hostile was applied in c2: begin with that")
	w.hostile = &hostile{mesh: "c2", before: holds}
	require.NoError(t, w.undisturbed(t.Context(), "c2"))
	holds = nil
	assert.ErrorContains(t, w.undisturbed(t.Context(), "c2"), `c2 held ["Gateway x"] and holds []`)
}
