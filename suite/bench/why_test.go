package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/steps"
)

func TestALookAtClustersOnWhichNothingIsDeployedWritesNothing(t *testing.T) {
	lab := lendOne(t, map[string]string{})
	_, err := Why(t.Context(), lab, "c1", steps.Request{Method: "GET", URL: "http://reviews:9080/"})
	require.ErrorContains(t, err, "nothing is deployed for the features; `conformance run --keep`")
	assert.Empty(t, lab.c.written)
}
