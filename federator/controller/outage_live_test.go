package controller

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator/crd"
)

// door is the way to the API server: while it is shut, connections are cut and
// refused, as by an API server that restarts.
type door struct {
	target, address string
	mu              sync.Mutex
	listener        net.Listener
	open            []net.Conn
}

// behindADoor is the cluster as a controller sees it through one.
func behindADoor(t *testing.T, cfg *rest.Config) (*rest.Config, *door) {
	t.Helper()
	at, err := url.Parse(cfg.Host)
	require.NoError(t, err)
	d := &door{target: at.Host, address: "127.0.0.1:0"}
	require.NoError(t, d.unlock())
	t.Cleanup(d.shut)
	out := rest.CopyConfig(cfg)
	out.ServerName = at.Hostname()
	out.Host = "https://" + d.address
	return out, d
}

func (d *door) unlock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		return err
	}
	d.listener, d.address = l, l.Addr().String()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", d.target)
			if err != nil {
				_ = in.Close()
				continue
			}
			d.mu.Lock()
			d.open = append(d.open, in, out)
			d.mu.Unlock()
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	return nil
}

func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.listener.Close()
	for _, c := range d.open {
		_ = c.Close()
	}
	d.open = nil
}

// start runs a controller until the returned function is called.
func (s *site) start(t *testing.T, cfg *rest.Config, change func(*Options)) (stop func(), ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	o := Options{Namespace: s.name, GatewayNamespace: s.name, RootNamespace: s.name, Namespaces: []string{s.name}}
	if change != nil {
		change(&o)
	}
	go func() { done <- Run(ctx, cfg, o) }()
	t.Cleanup(cancel)
	return cancel, done
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// outage is how long the API server stays away: longer than a restart takes.
const outage = 5 * time.Second

func TestTheControllerOutlivesItsAPIServer(t *testing.T) {
	s := liveSite(t)
	cfg, d := behindADoor(t, s.config)
	metrics := freePort(t)
	stop, ended := s.start(t, cfg, func(o *Options) {
		o.LeaderElection, o.Identity, o.MetricsAddress = true, "a", metrics
	})
	for _, o := range []client.Object{s.mesh(), s.peer(), s.exposure("first", "/first/")} {
		require.NoError(t, s.client.Create(t.Context(), o))
	}
	s.await(t, "first", crd.ReasonProgrammed)
	before := s.routes(t)

	for round := range 2 {
		d.shut()
		name := fmt.Sprintf("during-%d", round)
		require.NoError(t, s.client.Create(t.Context(), s.exposure(name, "/"+name+"/")))
		select {
		case err := <-ended:
			require.Fail(t, "the controller has ended", "%v", err)
		case <-time.After(outage):
		}
		assert.Equal(t, before, s.routes(t), "it reached the API server through a shut door")
		require.NoError(t, d.unlock())
		s.await(t, name, crd.ReasonProgrammed)
		s.await(t, "first", crd.ReasonProgrammed)
		after := s.routes(t)
		for route, version := range before {
			assert.Equal(t, version, after[route], "%s was written again", route)
		}
		before = after
	}
	text := scrape(t, metrics)
	for _, want := range []string{`federator_in_force{kind="Exposure"} 3`, `federator_declarations{kind="Exposure",state="GatewayNotReady"} 3`,
		"federator_writes_total", "federator_failures_total", "leader_election_master_status"} {
		assert.Contains(t, text, want)
	}
	stop()
	assert.NoError(t, <-ended)
}

func scrape(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// holder waits for the lease to be somebody's.
func (s *site) holder(t *testing.T, want string) {
	t.Helper()
	last := "nobody"
	require.NoError(t, wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, liveLimit, true, func(ctx context.Context) (bool, error) {
		var lease coordination.Lease
		if err := s.client.Get(ctx, client.ObjectKey{Namespace: s.name, Name: Name}, &lease); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		if lease.Spec.HolderIdentity != nil {
			last = *lease.Spec.HolderIdentity
		}
		return last == want, nil
	}), "want the lease to be %s's; last: %s", want, &last)
}

// One leads and the other stands by; when the leader goes, the other goes on
// where it stopped, and writes nothing that is there.
func TestOfTwoControllersOneLeads(t *testing.T) {
	s := liveSite(t)
	// Metrics are the process's, and two controllers of one would share them.
	leads := func(name string) func(*Options) {
		return func(o *Options) { o.LeaderElection, o.Identity = true, name }
	}
	stop, ended := s.start(t, s.config, leads("a"))
	s.holder(t, "a")
	for _, o := range []client.Object{s.mesh(), s.peer(), s.exposure("first", "/first/")} {
		require.NoError(t, s.client.Create(t.Context(), o))
	}
	s.await(t, "first", crd.ReasonProgrammed)
	before := s.routes(t)

	// The lease is held elsewhere: whoever has no lease does nothing.
	stop()
	require.NoError(t, <-ended)
	s.hold(t, "somebody")
	stopB, endedB := s.start(t, s.config, leads("b"))
	require.NoError(t, s.client.Create(t.Context(), s.exposure("second", "/second/")))
	select {
	case err := <-endedB:
		require.Fail(t, "the one that stands by has ended", "%v", err)
	case <-time.After(outage):
	}
	assert.Equal(t, before, s.routes(t), "it wrote without the lease")

	s.hold(t, "")
	s.holder(t, "b")
	s.await(t, "second", crd.ReasonProgrammed)
	after := s.routes(t)
	for route, version := range before {
		assert.Equal(t, version, after[route], "%s was written again", route)
	}
	stopB()
	assert.NoError(t, <-endedB)
	var lease coordination.Lease
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: s.name, Name: Name}, &lease))
	assert.Empty(t, strings.TrimSpace(*lease.Spec.HolderIdentity), "it gave the lease back")
}

// hold writes a holder into the lease, or gives it free.
func (s *site) hold(t *testing.T, who string) {
	t.Helper()
	var lease coordination.Lease
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: s.name, Name: Name}, &lease))
	seconds := int32(leaseDuration / time.Second)
	now := lease.Spec.RenewTime.DeepCopy()
	now.Time = time.Now()
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = &who, &seconds, now
	require.NoError(t, s.client.Update(t.Context(), &lease))
}
