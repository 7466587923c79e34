package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
)

func TestAnUnknownEngineIsAnErrorThatListsTheKnown(t *testing.T) {
	var asked string
	known := engine.Known{
		Engines: []engine.Engine{builtin.New("v0")},
		Openers: map[string]engine.Opener{"exec": func(_ context.Context, argument string) (engine.Engine, error) {
			asked = argument
			return builtin.New("v1"), nil
		}},
	}
	chosen, err := known.Choose(t.Context(), "builtin")
	require.NoError(t, err)
	assert.Equal(t, "v0", chosen.Version())
	chosen, err = known.Choose(t.Context(), "exec:./a:b")
	require.NoError(t, err)
	assert.Equal(t, "v1", chosen.Version())
	assert.Equal(t, "./a:b", asked)
	for _, wrong := range []string{"bulitin", "exec", "exce:./a"} {
		_, err = known.Choose(t.Context(), wrong)
		assert.EqualError(t, err, `no engine "`+wrong+`"; there are: builtin, exec:…`)
	}
}

func TestCapabilitiesCanBeTags(t *testing.T) {
	for _, word := range engine.Words(engine.Capabilities()) {
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, word)
	}
}
