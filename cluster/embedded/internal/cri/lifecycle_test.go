package cri_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestAContainerRunsItsImagesCommandAndEnds(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig())
	st := b.exit()
	assert.Equal(t, "default\n", b.output())
	assert.Zero(t, st.ExitCode)
	assert.Equal(t, "Completed", st.Reason)
	assert.LessOrEqual(t, st.CreatedAt, st.StartedAt)
	assert.LessOrEqual(t, st.StartedAt, st.FinishedAt)
}

func TestTheStartIsFast(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	begin := time.Now()
	b, err := n.create(pod, pc, containerConfig("wait"))
	require.NoError(t, err)
	require.NoError(t, b.start())
	t.Log("create and start:", time.Since(begin))
	begin = time.Now()
	n.pod()
	t.Log("run pod sandbox:", time.Since(begin))
	begin = time.Now()
	_, err = n.runtime.ExecSync(t.Context(), &runtimeapi.ExecSyncRequest{ContainerId: b.id, Cmd: []string{"/bin/payload", "echo"}})
	require.NoError(t, err)
	t.Log("exec:", time.Since(begin))
}
