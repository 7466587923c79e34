package reach

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/steps"
)

func TestTimersAreExactWhereTheVariableIsSet(t *testing.T) {
	timers, err := timersOf(0)
	require.NoError(t, err)
	assert.Equal(t, steps.ExactTimers, timers)
	timers, err = timersOf(1)
	require.NoError(t, err)
	assert.Equal(t, steps.CoarseTimers, timers)
	_, err = timersOf(127)
	assert.ErrorContains(t, err, "exit code 127")
}
