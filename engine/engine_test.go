package engine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
)

func TestAnUnknownEngineIsAnErrorThatListsTheKnown(t *testing.T) {
	engines := []engine.Engine{builtin.New("v0")}
	chosen, err := engine.Choose(engines, "builtin")
	require.NoError(t, err)
	assert.Equal(t, "v0", chosen.Version())
	_, err = engine.Choose(engines, "bulitin")
	assert.EqualError(t, err, `no engine "bulitin"; there are: builtin`)
}

func TestCapabilitiesCanBeTags(t *testing.T) {
	for _, word := range engine.Words(engine.Capabilities()) {
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, word)
	}
}
