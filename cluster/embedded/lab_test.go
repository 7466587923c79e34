package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// makerEnv makes this test binary a harness that brings a lab up in the named
// state folder and waits.
const makerEnv = "MESHFED_TEST_MAKER"

func TestMain(m *testing.M) {
	Main()
	if dir := os.Getenv(makerEnv); dir != "" {
		os.Exit(maker(dir))
	}
	os.Exit(m.Run())
}

func maker(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p, err := New(WithStateDir(dir))
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("begun")
	lab, err := p.Create(ctx, "made", cluster.TopologyOf(1))
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("up", lab.(*Lab).record.PID)
	<-ctx.Done()
	if err := lab.Delete(context.WithoutCancel(ctx)); err != nil {
		return 1
	}
	return 0
}

// needLab skips where no lab can be brought up at once.
func needLab(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a lab needs root")
	}
	if testing.Short() {
		t.Skip("a lab takes seconds; -short asks for less")
	}
	items, err := toolchain.Status(t.Context(), toolchain.Config{})
	require.NoError(t, err)
	for _, i := range items {
		// The fixtures are this project's own program: seconds, not minutes.
		if !i.Present && i.Name != "fixtures" {
			t.Skipf("the lab's tools are not built yet (%s): run `make conformance` first", i.Name)
		}
	}
}

// host is what a lab must leave as it was.
func host(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	links, err := os.ReadDir("/sys/class/net")
	require.NoError(t, err)
	return fmt.Sprint(string(mounts), links)
}

func startMaker(t *testing.T) (maker *exec.Cmd, out *bufio.Reader, stateDir string) {
	t.Helper()
	stateDir = t.TempDir()
	maker = exec.Command(os.Args[0])
	maker.Env = append(os.Environ(), makerEnv+"="+stateDir)
	pipe, err := maker.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, maker.Start())
	t.Cleanup(func() { _ = maker.Process.Kill() })
	return maker, bufio.NewReader(pipe), stateDir
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	require.NoError(t, err, "the maker ended after %q", s)
	return strings.TrimSpace(s)
}

// tree is pid and all below it, each with its start time, since a number may
// be used again.
func tree(t *testing.T, pid int) []string {
	t.Helper()
	children, err := processTree()
	require.NoError(t, err)
	var all []string
	for pids := []int{pid}; len(pids) > 0; pids = pids[1:] {
		if id, ok := identity(pids[0]); ok {
			all = append(all, id)
		}
		pids = append(pids, children[pids[0]]...)
	}
	return all
}

func identity(pid int) (string, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", false
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	const state, startTime = 0, 19
	if fields[state] == "Z" || fields[state] == "X" {
		return "", false
	}
	return fmt.Sprint(pid, "@", fields[startTime]), true
}

func gone(ids []string) bool {
	for _, id := range ids {
		pid, _ := strconv.Atoi(strings.TrimSpace(strings.Split(id, "@")[0]))
		if now, ok := identity(pid); ok && now == id {
			return false
		}
	}
	return true
}

func TestALabEndsWithAMakerThatWasKilledAndLeavesNothing(t *testing.T) {
	needLab(t)
	before := host(t)
	maker, out, stateDir := startMaker(t)
	require.Equal(t, "begun", line(t, out))
	up := strings.Fields(line(t, out))
	require.Equal(t, "up", up[0], up)
	pid, err := strconv.Atoi(up[1])
	require.NoError(t, err)
	processes := tree(t, pid)
	require.Greater(t, len(processes), 10, "control plane, kubelet, Istio and their pid 1s")
	assert.Equal(t, before, host(t), "a lab that is up is not seen on the host")

	require.NoError(t, maker.Process.Signal(syscall.SIGKILL))
	_ = maker.Wait()
	assert.Eventually(t, func() bool { return gone(processes) }, 5*time.Second, 10*time.Millisecond)
	assert.Equal(t, before, host(t))

	p, err := New(WithStateDir(stateDir))
	require.NoError(t, err)
	// A process whose first thread is dead may hold its files a moment longer.
	assert.Eventually(t, func() bool {
		_, err = p.Open(t.Context(), "made")
		return errors.Is(err, cluster.ErrNoLab)
	}, 5*time.Second, 10*time.Millisecond, "what is on disk is no lab: %v", err)
}

func TestCtrlCWhileALabComesUpIsCleanInFiveSeconds(t *testing.T) {
	needLab(t)
	for _, after := range []time.Duration{0, 500 * time.Millisecond, 4 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			before := host(t)
			maker, out, stateDir := startMaker(t)
			require.Equal(t, "begun", line(t, out))
			time.Sleep(after) // the moment of the interrupt is the test's input
			processes := tree(t, maker.Process.Pid)[1:]
			begun := time.Now()
			require.NoError(t, maker.Process.Signal(syscall.SIGINT))
			_, _ = io.Copy(io.Discard, out)
			_ = maker.Wait()
			assert.Less(t, time.Since(begun), 5*time.Second)
			assert.Eventually(t, func() bool { return gone(processes) }, time.Second, 10*time.Millisecond)
			assert.Equal(t, before, host(t))
			assert.NoDirExists(t, filepath.Join(stateDir, "labs", "made"))
		})
	}
}

func TestASecondLabOfTheSameNameIsRefusedAndTheFirstStays(t *testing.T) {
	needLab(t)
	p, err := New(WithStateDir(t.TempDir()))
	require.NoError(t, err)
	first, err := p.Create(t.Context(), "one", cluster.TopologyOf(1))
	require.NoError(t, err)
	defer func() { assert.NoError(t, first.Delete(context.Background())) }()
	_, err = p.Create(t.Context(), "one", cluster.TopologyOf(1))
	assert.ErrorContains(t, err, "--lab one")
	_, err = p.Open(t.Context(), "one")
	assert.NoError(t, err)
}

func TestBadNamesAndTopologiesAreRefusedBeforeAnythingStarts(t *testing.T) {
	p, err := New(WithStateDir(t.TempDir()))
	require.NoError(t, err)
	for name, topology := range map[string]cluster.Topology{
		"../etc": cluster.TopologyOf(1),
		"empty":  {},
		"twice":  {Clusters: []cluster.Spec{{Name: "c1"}, {Name: "c1"}}},
		"many":   cluster.TopologyOf(1000),
	} {
		_, err := p.Create(t.Context(), name, topology)
		assert.Error(t, err, name)
	}
	_, err = p.Open(t.Context(), "absent")
	assert.ErrorIs(t, err, cluster.ErrNoLab)
}
