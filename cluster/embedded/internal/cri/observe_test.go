package cri_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestTheRuntimeIsReady(t *testing.T) {
	n := startNode(t)
	st, err := n.runtime.Status(t.Context(), &runtimeapi.StatusRequest{Verbose: true})
	require.NoError(t, err)
	for _, c := range st.Status.Conditions {
		assert.True(t, c.Status, c.Type)
	}
	config, err := n.runtime.RuntimeConfig(t.Context(), &runtimeapi.RuntimeConfigRequest{})
	require.NoError(t, err)
	assert.Equal(t, runtimeapi.CgroupDriver_CGROUPFS, config.Linux.CgroupDriver)
}

func TestUseIsMeasured(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	b.says("waiting")
	list, err := n.runtime.ListContainerStats(t.Context(), &runtimeapi.ListContainerStatsRequest{})
	require.NoError(t, err)
	require.Len(t, list.Stats, 1)
	assert.Equal(t, b.id, list.Stats[0].Attributes.Id)
	assert.Greater(t, list.Stats[0].Memory.RssBytes.Value, uint64(100<<10))
	pod, err := n.runtime.PodSandboxStats(t.Context(), &runtimeapi.PodSandboxStatsRequest{PodSandboxId: b.pod})
	require.NoError(t, err)
	assert.Equal(t, uint64(1), pod.Stats.Linux.Process.ProcessCount.Value)
	require.Len(t, pod.Stats.Linux.Containers, 1)
}

func TestEventsTellOfAContainersLife(t *testing.T) {
	n := startNode(t)
	events, err := n.runtime.GetContainerEvents(t.Context(), &runtimeapi.GetEventsRequest{})
	require.NoError(t, err)
	_, err = events.Header() // the server listens once it has answered
	require.NoError(t, err)
	b := n.run(containerConfig("exit", "0"))
	var kinds []string
	for len(kinds) < 3 {
		e, err := events.Recv()
		require.NoError(t, err)
		if e.ContainerId == b.id {
			kinds = append(kinds, e.ContainerEventType.String())
			assert.Equal(t, b.pod, e.PodSandboxStatus.Id)
		}
	}
	assert.Equal(t, []string{"CONTAINER_CREATED_EVENT", "CONTAINER_STARTED_EVENT", "CONTAINER_STOPPED_EVENT"}, kinds)
}
