package cri_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestTheLogHasKubeletsFormat(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("both"))
	b.exit()
	raw, err := os.ReadFile(b.log)
	require.NoError(t, err)
	line := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`
	assert.Regexp(t, regexp.MustCompile(`(?m)^`+line+` stdout F to stdout$`), string(raw))
	assert.Regexp(t, regexp.MustCompile(`(?m)^`+line+` stderr F to stderr$`), string(raw))
	assert.Equal(t, b.log, b.status().LogPath)
}

func TestALongLineIsLoggedInParts(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("long", "40000"))
	b.exit()
	raw, err := os.ReadFile(b.log)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(raw), " stdout P "))
	assert.Equal(t, 1, strings.Count(string(raw), " stdout F "))
	assert.Equal(t, 40000, strings.Count(string(raw), "x"))
}

func TestARotatedLogGoesOnInANewFile(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	b.says("waiting")
	require.NoError(t, os.Rename(b.log, b.log+".1"))
	_, err := n.runtime.ReopenContainerLog(t.Context(), &runtimeapi.ReopenContainerLogRequest{ContainerId: b.id})
	require.NoError(t, err)
	_, err = n.runtime.StopContainer(t.Context(), &runtimeapi.StopContainerRequest{ContainerId: b.id, Timeout: 30})
	require.NoError(t, err)
	assert.Equal(t, "got 15\n", b.output())
	_, err = n.runtime.ReopenContainerLog(t.Context(), &runtimeapi.ReopenContainerLogRequest{ContainerId: b.id})
	assert.ErrorContains(t, err, "is not running")
}
