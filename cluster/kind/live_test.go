package kind

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/meshfed/meshfed/cluster"
)

const (
	// makerEnv makes this test binary a harness that brings a lab up in the
	// named state folder and waits.
	makerEnv = "MESHFED_TEST_KIND_MAKER"
	liveEnv  = "MESHFED_KIND"
)

func TestMain(m *testing.M) {
	Main()
	if dir := os.Getenv(makerEnv); dir != "" {
		os.Exit(maker(dir))
	}
	os.Exit(m.Run())
}

func maker(dir string) int {
	p, err := New(Options{Airgapped: true, StateDir: dir})
	if err == nil {
		fmt.Println("begun")
		_, err = p.Create(context.Background(), "made", cluster.TopologyOf(2))
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("up")
	select {}
}

// live is a provider with a state of its own, where a lab is wanted.
func live(t *testing.T) *Provider {
	t.Helper()
	if os.Getenv(liveEnv) == "" {
		t.Skipf("labs of kind take minutes: set %s=1 (make kind-test)", liveEnv)
	}
	// Another test's engine is not this one's user's.
	t.Setenv("DOCKER_HOST", "")
	p, err := New(Options{Airgapped: true, Progress: os.Stderr, StateDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := p.Cleanup(context.Background(), "")
		assert.NoError(t, err)
	})
	return p
}

// left is everything of a provider that can be found on this machine.
func left(t *testing.T, p *Provider) []string {
	t.Helper()
	var found []string
	names, err := p.names()
	require.NoError(t, err)
	found = append(found, names...)
	if p.engine().Alive() {
		found = append(found, "the engine")
	}
	if _, err := netlink.LinkByName("meshfed-kind"); err == nil {
		found = append(found, "the link")
	}
	groups, err := filepath.Glob("/sys/fs/cgroup/*/meshfed-kind")
	require.NoError(t, err)
	found = append(found, groups...)
	programs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, f := range programs {
		line, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(line), p.stateDir) && !strings.Contains(string(line), "-test.") {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	for _, dir := range []string{"containers", "volumes"} {
		entries, _ := os.ReadDir(filepath.Join(p.engine().DataDir, dir))
		for _, e := range entries {
			if e.IsDir() {
				found = append(found, dir+"/"+e.Name())
			}
		}
	}
	return found
}

// has waits until the engine's client names something that answers to want.
func has(t *testing.T, p *Provider, want string, args ...string) {
	t.Helper()
	d := p.docker(p.engine().Host())
	require.Eventually(t, func() bool {
		out, err := d.run(t.Context(), args...)
		return err == nil && strings.Contains(out, want)
	}, 3*time.Minute, 100*time.Millisecond, "no %s", want)
}

func TestLiveALabWhoseMakerIsKilledIsGoneAfterACleanUp(t *testing.T) {
	for _, moment := range []struct {
		name  string
		reach func(*testing.T, *Provider)
	}{
		{"as the engine starts", func(t *testing.T, p *Provider) {
			require.Eventually(t, p.engine().Alive, time.Minute, time.Millisecond)
		}},
		{"as the network is there", func(t *testing.T, p *Provider) { has(t, p, "meshfed-made", "network", "ls") }},
		{"as the nodes start", func(t *testing.T, p *Provider) { has(t, p, "meshfed-made-c1", "ps", "--all") }},
		{"as Kubernetes starts", func(t *testing.T, p *Provider) {
			has(t, p, "kube-apiserver", "exec", "meshfed-made-c1-control-plane", "ps", "-A")
		}},
	} {
		t.Run(moment.name, func(t *testing.T) {
			p := live(t)
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
			cmd.Env = append(os.Environ(), makerEnv+"="+p.stateDir)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			said := bufio.NewReader(out)
			line, err := said.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "begun\n", line)
			go func() {
				for line, err := said.ReadString('\n'); err == nil; line, err = said.ReadString('\n') {
					fmt.Println("the maker says:", line)
				}
			}()
			moment.reach(t, p)
			_, err = p.Cleanup(t.Context(), "")
			require.ErrorContains(t, err, "alive", "a live maker's lab is its own")
			require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
			_ = cmd.Wait()
			require.NotEmpty(t, left(t, p), "nothing to clean up proves nothing")
			_, err = p.Cleanup(t.Context(), "")
			require.NoError(t, err)
			assert.Empty(t, left(t, p))
		})
	}
}

func TestLiveALabIsFencedOpenedAgainAndLeavesNothing(t *testing.T) {
	p := live(t)
	begun := time.Now()
	made, err := p.Create(t.Context(), "fenced", cluster.TopologyOf(2))
	require.NoError(t, err)
	t.Logf("two clusters with Istio serving after %s", time.Since(begun).Round(100*time.Millisecond))
	_, err = p.Create(t.Context(), "fenced", cluster.TopologyOf(2))
	require.Error(t, err, "a lab is not made twice")
	require.NoError(t, made.(*Lab).Detach(t.Context()))
	lab, err := p.Open(t.Context(), "fenced")
	require.NoError(t, err)
	for i := range lab.Clusters() {
		fenced(t, lab.(*Lab), i)
	}
	logs := t.TempDir()
	require.NoError(t, lab.ExportLogs(t.Context(), logs))
	kubelet, err := filepath.Glob(filepath.Join(logs, "c2", "*", "kubelet.log"))
	require.NoError(t, err)
	assert.Len(t, kubelet, 1)
	require.Error(t, lab.Clusters()[0].LoadImage(t.Context(), "nobody.local/has:this"))

	require.NoError(t, lab.Delete(t.Context()))
	require.NoError(t, lab.Delete(t.Context()), "twice is no fault")
	assert.Empty(t, left(t, p))
	_, err = p.Open(t.Context(), "fenced")
	require.ErrorIs(t, err, cluster.ErrNoLab)
}

// fenced holds if nothing can be reached from a node but what has to be: after
// each refusal something is asked that must answer.
func fenced(t *testing.T, l *Lab, i int) {
	t.Helper()
	node, err := l.member(i).node()
	require.NoError(t, err)
	peer := l.record.Clusters[(i+1)%len(l.record.Clusters)].Node
	answers := func() {
		t.Helper()
		require.NoError(t, run(node, "", "curl", "-sk", "--max-time", "5", "https://127.0.0.1:6443/livez"), "the node's own API server")
	}
	answers()
	for _, target := range []string{
		"http://192.0.2.1", "http://203.0.113.9", "http://1.1.1.1", "http://istio.io", "http://" + engineAddress(t, l) + ":22",
		"https://" + peer.String() + ":6443/livez", "https://" + peer.String() + ":10250/healthz",
	} {
		begun := time.Now()
		assert.Error(t, run(node, "", "curl", "-sk", "--max-time", "5", target), target)
		assert.Less(t, time.Since(begun), 4*time.Second, "%s is refused, not lost", target)
		answers()
	}
	assert.Error(t, run(node, "", "getent", "ahosts", "istio.io"), "a name of the world")
	for _, server := range []string{"127.0.0.11", engineAddress(t, l)} {
		assert.Error(t, run(node, "", "timeout", "5", "bash", "-c", "exec 3<>/dev/tcp/"+server+"/53"), "names from %s", server)
	}
}

func engineAddress(t *testing.T, l *Lab) string {
	t.Helper()
	_, gateway, err := l.docker().networkPrefix(t.Context(), l.name)
	require.NoError(t, err)
	require.NotEqual(t, netip.Addr{}, gateway)
	return gateway.String()
}

func TestLiveACreateThatIsInterruptedLeavesNothing(t *testing.T) {
	p := live(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		d := p.docker(p.engine().Host())
		for ctx.Err() == nil {
			if out, err := d.run(ctx, "ps"); err == nil && strings.Contains(out, "meshfed-cut-c2") {
				cancel()
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	_, err := p.Create(ctx, "cut", cluster.TopologyOf(2))
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, left(t, p))
}
