package controller

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator/crd"
)

// killer is the variable with the shell command that kills the API server; whoever
// runs the cluster has to start it again. In a lab:
// "conformance lab kill c2 kube-apiserver".
const killer = "MESHFED_KILL_API_SERVER"

// restartLimit bounds how long an API server that was killed may be away.
const restartLimit = time.Minute

// A door that is shut forgets nothing. A server that is killed does: its watches,
// its caches and who was connected.
func TestTheControllerOutlivesARestartOfItsAPIServer(t *testing.T) {
	command := os.Getenv(killer)
	if command == "" {
		t.Skipf("%s has no command that kills the API server", killer)
	}
	s := liveSite(t)
	stop, ended := s.start(t, s.config, func(o *Options) { o.LeaderElection, o.Identity = true, "a" })
	for _, o := range []client.Object{s.mesh(), s.peer(), s.exposure("first", "/first/")} {
		require.NoError(t, s.client.Create(t.Context(), o))
	}
	s.await(t, "first", crd.ReasonProgrammed)
	before := s.routes(t)

	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Error(t, s.ping(t.Context()), "the API server has not been away")
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.NoError(c, s.ping(t.Context())) }, restartLimit, 50*time.Millisecond)
	require.NoError(t, s.client.Create(t.Context(), s.exposure("second", "/second/")))
	s.await(t, "second", crd.ReasonProgrammed)
	s.await(t, "first", crd.ReasonProgrammed)
	after := s.routes(t)
	for route, version := range before {
		assert.Equal(t, version, after[route], "%s was written again", route)
	}
	select {
	case err := <-ended:
		require.Fail(t, "the controller has ended", "%v", err)
	default:
	}
	stop()
	assert.NoError(t, <-ended)
}

// ping asks for what only the API server and its store can tell.
func (s *site) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.client.List(ctx, &crd.MeshList{})
}
