package toolchain

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/findings"
)

func TestStatusSaysHowToGetWhatIsMissingAndGetsNothing(t *testing.T) {
	f, c := newFake(t)
	delete(f.vars, "ENVOY")
	items, err := status(t.Context(), c, f.host())
	require.NoError(t, err)
	require.Len(t, items, len(sets())+1)
	for _, i := range items {
		assert.False(t, i.Present, i.Name)
		assert.NotEmpty(t, i.HowToGet, i.Name)
		assert.NotZero(t, i.Needs, i.Name)
		assert.Zero(t, i.Size, i.Name)
	}
	assert.Zero(t, f.calls("go build")+f.calls("go list"))
}

func TestStatusSaysWhereAndHowBigWhatIsPresentIs(t *testing.T) {
	f, c := newFake(t)
	_, err := ensure(t.Context(), c, f.host())
	require.NoError(t, err)
	items, err := status(t.Context(), c, f.host())
	require.NoError(t, err)
	for _, i := range items {
		assert.True(t, i.Present, i.Name)
		assert.NotEmpty(t, i.Where, i.Name)
		assert.Empty(t, i.HowToGet, i.Name)
		if i.Name != string(Envoy) { // the stand-in for Envoy is empty
			assert.NotZero(t, i.Size, i.Name)
		}
	}
}

func TestStatusOfAnUnusableEnvoyIsItsFault(t *testing.T) {
	f, c := newFake(t)
	f.vars["ENVOY"] = "/nowhere"
	items, err := status(t.Context(), c, f.host())
	require.NoError(t, err)
	last := items[len(items)-1]
	assert.False(t, last.Present)
	assert.Contains(t, last.HowToGet, "/nowhere")
	require.ErrorContains(t, findings.Failures(Obstacles(items)), "tool envoy: found envoy: ENVOY=/nowhere")
}

func TestAProcessorWithoutAPinnedEnvoyIsAFault(t *testing.T) {
	f, c := newFake(t)
	delete(f.vars, "ENVOY")
	f.arch = "arm64"
	items, err := status(t.Context(), c, f.host())
	require.NoError(t, err)
	require.ErrorContains(t, findings.Failures(Obstacles(items)), "arm64")

	f.present["envoy"] = "/envoy"
	items, err = status(t.Context(), c, f.host())
	require.NoError(t, err)
	assert.Empty(t, Obstacles(items), "it has one of its own")
}

func TestWhatIsOnlyNotGotYetIsNoObstacle(t *testing.T) {
	f, c := newFake(t)
	delete(f.vars, "ENVOY")
	items, err := status(t.Context(), c, f.host())
	require.NoError(t, err)
	assert.Empty(t, Obstacles(items))
}

func TestToolsArePresentOnceTheyAreGotAndLookingGetsNone(t *testing.T) {
	f, c := newFake(t)
	_, there, err := present(t.Context(), c, f.host(), Istioctl, Federator)
	require.NoError(t, err)
	assert.False(t, there)
	assert.Zero(t, f.calls("go build"))
	got, err := ensure(t.Context(), c, f.host())
	require.NoError(t, err)
	tools, there, err := present(t.Context(), c, f.host(), Istioctl, Federator)
	require.NoError(t, err)
	assert.True(t, there)
	assert.Equal(t, got.Identity(Federator), tools.Identity(Federator))
}

func TestFreeBytesOfAPathThatIsNotThereYetAreItsParents(t *testing.T) {
	here, err := FreeBytes("/")
	require.NoError(t, err)
	assert.Positive(t, here)
	there, err := FreeBytes(t.TempDir() + "/not/there/yet")
	require.NoError(t, err)
	assert.Positive(t, there)
}
