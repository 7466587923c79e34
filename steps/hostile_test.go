package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARefusalForAnotherReasonIsLuck(t *testing.T) {
	w := &World{}
	require.ErrorContains(t, w.refusedBecause("c9"), "nothing hostile")
	w.hostile = &hostile{}
	require.ErrorContains(t, w.refusedBecause("c9"), "accepted")
	w.hostile.refusal = assert.AnError
	require.ErrorContains(t, w.refusedBecause("c9"), "another reason")
	require.NoError(t, w.refusedBecause("assert.AnError"))
}

func TestAMonsterIsAsLargeAsItSays(t *testing.T) {
	for what, size := range map[string]int{"a document of 100 MB": 100 << 20, "a document 100000 levels deep": 200_000, "a document with 1000000 names": 10_000_000} {
		text, err := monster(what)
		require.NoError(t, err, what)
		assert.Greater(t, len(text), size, what)
	}
	_, err := monster("a kraken")
	assert.ErrorContains(t, err, "kraken")
}
