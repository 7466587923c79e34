package embedded

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnEnvoyThatIsNotThereFailsTheDoctorAndTheStart(t *testing.T) {
	p, err := New(WithStateDir(t.TempDir()))
	require.NoError(t, err)
	t.Setenv("ENVOY", "/nowhere")
	require.ErrorContains(t, p.Doctor(t.Context(), io.Discard, 2), "ENVOY=/nowhere")
	assert.ErrorContains(t, p.check(t.Context(), 2), "ENVOY=/nowhere")
}
