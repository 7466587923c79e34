package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
	nodeproc "github.com/meshfed/meshfed/cluster/embedded/internal/node"
)

// followed is a lab of one cluster whose events the test says, and what follow
// returns.
type followed struct {
	events *event.Sender
	ended  chan error
}

func follow(ctx context.Context, t *testing.T, install func(context.Context, string) error) followed {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { w.Close() })
	l := &Lab{dir: t.TempDir(), clusters: []*member{{name: "c1"}}}
	f := followed{events: event.NewSender(w, "c1"), ended: make(chan error, 1)}
	go func() { f.ended <- l.follow(ctx, r, install) }()
	return f
}

func (f followed) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-f.ended:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("the lab is still waited for")
		return nil
	}
}

// hangs is an install that waits for a pod that no kubelet starts.
func hangs(ctx context.Context, _ string) error {
	<-ctx.Done()
	return errors.New("istiod is not ready")
}

func TestALabIsUpWhenItsNodeIsReadyAndItsMeshInstalled(t *testing.T) {
	for name, readyFirst := range map[string]bool{"the node last": false, "the mesh last": true} {
		t.Run(name, func(t *testing.T) {
			done, asked := make(chan struct{}), make(chan string, 1)
			f := follow(t.Context(), t, func(_ context.Context, cluster string) error {
				asked <- cluster
				<-done
				return nil
			})
			f.events.Send(event.Step, "%s", nodeproc.APIReady)
			assert.Equal(t, "c1", <-asked)
			first, last := func() { close(done) }, func() { f.events.Send(event.Ready, "node c1 is Ready") }
			if readyFirst {
				first, last = last, first
			}
			first()
			select {
			case err := <-f.ended:
				t.Fatal("one of the two is enough:", err)
			case <-time.After(50 * time.Millisecond):
			}
			last()
			assert.NoError(t, f.end(t))
		})
	}
}

func TestAProgramThatDiesAfterReadyIsToldAtOnce(t *testing.T) {
	f := follow(t.Context(), t, hangs)
	f.events.Send(event.Step, "%s", nodeproc.APIReady)
	f.events.Send(event.Ready, "node c1 is Ready")
	f.events.Send(event.Failed, "cluster c1: kubelet ended: exit status 1")
	assert.EqualError(t, f.end(t), "cluster c1: kubelet ended: exit status 1")
}

func TestALabThatIsKilledAfterReadyIsToldAtOnceWithItsLog(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	l := &Lab{dir: t.TempDir(), clusters: []*member{{name: "c1"}}}
	require.NoError(t, os.Mkdir(l.path("logs"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(l.path("logs"), "lab.log"), []byte("out of memory\n"), 0o600))
	events := event.NewSender(w, "c1")
	events.Send(event.Step, "%s", nodeproc.APIReady)
	events.Send(event.Ready, "node c1 is Ready")
	require.NoError(t, w.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	assert.ErrorContains(t, l.follow(ctx, r, hangs), "out of memory")
}

func TestTheCauseIsToldAndNotThatTheAPIWentWithIt(t *testing.T) {
	refused := make(chan struct{})
	f := follow(t.Context(), t, func(context.Context, string) error {
		defer close(refused)
		return errors.New("connection refused")
	})
	f.events.Send(event.Step, "%s", nodeproc.APIReady)
	<-refused
	f.events.Send(event.Failed, "cluster c1: kubelet ended: exit status 1")
	assert.EqualError(t, f.end(t), "cluster c1: kubelet ended: exit status 1")
}

func TestAnInstallThatFailsInALabThatLivesIsTold(t *testing.T) {
	f := follow(t.Context(), t, func(context.Context, string) error { return errors.New("no such chart") })
	f.events.Send(event.Step, "%s", nodeproc.APIReady)
	assert.EqualError(t, f.end(t), "no such chart")
}
