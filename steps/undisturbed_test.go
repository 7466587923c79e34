package steps

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestObjectsAreComparedWithThoseOfTheSameMeshBefore(t *testing.T) {
	var changed []string
	since := func(context.Context) ([]string, error) { return changed, nil }
	w := &World{}
	require.ErrorContains(t, w.undisturbed(t.Context(), "c2"), "nothing hostile was applied in c2: begin with that")
	w.hostile = &hostile{mesh: "c1", since: since}
	require.ErrorContains(t, w.undisturbed(t.Context(), "c2"), "nothing hostile was applied in c2: begin with that")
	w.hostile = &hostile{mesh: "c2", since: since}
	require.NoError(t, w.undisturbed(t.Context(), "c2"))
	changed = []string{"made again: Gateway x"}
	assert.EqualError(t, w.undisturbed(t.Context(), "c2"), "in c2: made again: Gateway x")
}
