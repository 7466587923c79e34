package cri_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
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

func TestAnExitCodeIsReported(t *testing.T) {
	n := startNode(t)
	st := n.run(containerConfig("exit", "7")).exit()
	assert.Equal(t, int32(7), st.ExitCode)
	assert.Equal(t, "Error", st.Reason)
}

func TestACommandThatCannotRunIsExplained(t *testing.T) {
	n := startNode(t)
	for _, tc := range []struct {
		name    string
		command string
		dir     string
		want    string
	}{
		{name: "not in PATH", command: "nosuch", want: `exec: "nosuch": executable file not found in $PATH`},
		{name: "no such path", command: "/bin/nosuch", want: `exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory`},
		{name: "a directory", command: "/etc", want: `exec: "/etc": is a directory`},
		{name: "not executable", command: "/etc/passwd", want: `exec: "/etc/passwd": permission denied`},
		{name: "working directory is a file", command: "payload", dir: "/etc/passwd", want: "working directory: mkdir /etc/passwd: not a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod, pc := n.pod()
			config := containerConfig()
			config.Command, config.WorkingDir = []string{tc.command}, tc.dir
			b, err := n.create(pod, pc, config)
			require.NoError(t, err)
			err = b.start()
			require.ErrorContains(t, err, tc.want)
			st := b.status()
			assert.Equal(t, runtimeapi.ContainerState_CONTAINER_EXITED, st.State)
			assert.Equal(t, "StartError", st.Reason)
			assert.Equal(t, int32(128), st.ExitCode)
			assert.Contains(t, st.Message, tc.want)
		})
	}
}

func TestAContainerThatHandlesSIGTERMEndsInItsGracePeriod(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	b.says("waiting")
	begin := time.Now()
	_, err := n.runtime.StopContainer(t.Context(), &runtimeapi.StopContainerRequest{ContainerId: b.id, Timeout: 30})
	require.NoError(t, err)
	assert.Less(t, time.Since(begin), patience)
	st := b.status()
	assert.Equal(t, runtimeapi.ContainerState_CONTAINER_EXITED, st.State)
	assert.Zero(t, st.ExitCode)
	b.says("got 15")
}

func TestAContainerThatIgnoresSIGTERMIsKilledAfterItsGracePeriod(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("ignore"))
	b.says("ignoring")
	begin := time.Now()
	_, err := n.runtime.StopContainer(t.Context(), &runtimeapi.StopContainerRequest{ContainerId: b.id, Timeout: 1})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(begin), time.Second)
	st := b.status()
	assert.Equal(t, int32(128+9), st.ExitCode)
	assert.Equal(t, "Error", st.Reason)
}

func TestTheStopSignalIsThePodsOrElseTheImages(t *testing.T) {
	n := startNode(t)
	config := containerConfig("await", strconv.Itoa(int(syscall.SIGUSR1)))
	config.StopSignal = runtimeapi.Signal_SIGNAL_SIGUSR1
	b := n.run(config)
	b.says("waiting")
	_, err := n.runtime.StopContainer(t.Context(), &runtimeapi.StopContainerRequest{ContainerId: b.id, Timeout: 30})
	require.NoError(t, err)
	b.says("got 10")
	assert.Equal(t, runtimeapi.Signal_SIGNAL_SIGUSR1, b.status().StopSignal)
}

func TestStopAndRemoveAreIdempotent(t *testing.T) {
	n := startNode(t)
	ctx := t.Context()
	b := n.run(containerConfig("wait"))
	for range 2 {
		_, err := n.runtime.StopContainer(ctx, &runtimeapi.StopContainerRequest{ContainerId: b.id})
		require.NoError(t, err)
		_, err = n.runtime.RemoveContainer(ctx, &runtimeapi.RemoveContainerRequest{ContainerId: b.id})
		require.NoError(t, err)
		_, err = n.runtime.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: b.pod})
		require.NoError(t, err)
		_, err = n.runtime.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: b.pod})
		require.NoError(t, err)
	}
	_, err := n.runtime.ContainerStatus(ctx, &runtimeapi.ContainerStatusRequest{ContainerId: b.id})
	assert.Equal(t, codes.NotFound, status.Code(err))
	_, err = n.runtime.PodSandboxStatus(ctx, &runtimeapi.PodSandboxStatusRequest{PodSandboxId: b.pod})
	assert.Equal(t, codes.NotFound, status.Code(err))
}

func TestAStoppedPodTakesItsContainersAlongAndStartsNoMore(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	b := n.runIn(pod, pc, containerConfig("wait"))
	late, err := n.create(pod, pc, containerConfig("wait"))
	require.NoError(t, err)
	_, err = n.runtime.StopPodSandbox(t.Context(), &runtimeapi.StopPodSandboxRequest{PodSandboxId: pod})
	require.NoError(t, err)
	assert.Equal(t, runtimeapi.ContainerState_CONTAINER_EXITED, b.status().State)
	assert.Equal(t, codes.FailedPrecondition, status.Code(late.start()))
	_, err = n.create(pod, pc, containerConfig("wait"))
	assert.Equal(t, codes.FailedPrecondition, status.Code(err))
	resp, err := n.runtime.PodSandboxStatus(t.Context(), &runtimeapi.PodSandboxStatusRequest{PodSandboxId: pod})
	require.NoError(t, err)
	assert.Equal(t, runtimeapi.PodSandboxState_SANDBOX_NOTREADY, resp.Status.State)
	assert.Empty(t, resp.Status.Network.Ip)
}

func TestACrashedContainerIsFollowedByAnotherInTheSamePod(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	for attempt := range uint32(3) {
		config := containerConfig("exit", "3")
		config.Metadata.Attempt, config.LogPath = attempt, "main/"+strconv.Itoa(int(attempt))+".log"
		assert.Equal(t, int32(3), n.runIn(pod, pc, config).exit().ExitCode)
	}
	list, err := n.runtime.ListContainers(t.Context(), &runtimeapi.ListContainersRequest{Filter: &runtimeapi.ContainerFilter{PodSandboxId: pod}})
	require.NoError(t, err)
	assert.Len(t, list.Containers, 3)
	assert.Equal(t, uint32(2), list.Containers[0].Metadata.Attempt, "newest first")
}

func TestListsFollowTheirFilters(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	config := containerConfig("wait")
	config.Labels = map[string]string{"app": "a"}
	b := n.runIn(pod, pc, config)
	n.run(containerConfig("exit", "0")).exit()
	running := &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}
	for name, tc := range map[string]struct {
		filter *runtimeapi.ContainerFilter
		want   int
	}{
		"all":            {nil, 2},
		"state":          {&runtimeapi.ContainerFilter{State: running}, 1},
		"label":          {&runtimeapi.ContainerFilter{LabelSelector: map[string]string{"app": "a"}}, 1},
		"another label":  {&runtimeapi.ContainerFilter{LabelSelector: map[string]string{"app": "b"}}, 0},
		"abbreviated id": {&runtimeapi.ContainerFilter{Id: b.id[:12]}, 1},
		"unknown pod":    {&runtimeapi.ContainerFilter{PodSandboxId: "nosuch"}, 0},
	} {
		list, err := n.runtime.ListContainers(t.Context(), &runtimeapi.ListContainersRequest{Filter: tc.filter})
		require.NoError(t, err)
		assert.Len(t, list.Containers, tc.want, name)
	}
	pods, err := n.runtime.ListPodSandbox(t.Context(), &runtimeapi.ListPodSandboxRequest{Filter: &runtimeapi.PodSandboxFilter{LabelSelector: map[string]string{"app": "pod"}}})
	require.NoError(t, err)
	assert.Len(t, pods.Items, 2)
}

func TestNothingSurvivesTheServer(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("ignore"))
	b.says("ignoring")
	n.shutDown()
	assert.Empty(t, podLinks(t), "links of pods")
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, e := range entries {
		cmdline, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil {
			assert.NotContains(t, strings.ReplaceAll(string(cmdline), "\x00", " "), "payload ignore")
		}
	}
}

func TestContainersThatShareAPIDNamespaceSeeEachOtherAndDieAlone(t *testing.T) {
	n := startNode(t)
	shared := &runtimeapi.NamespaceOption{Pid: runtimeapi.NamespaceMode_POD}
	pod, pc := n.pod(func(c *runtimeapi.PodSandboxConfig) { c.Linux.SecurityContext.NamespaceOptions = shared })
	config := containerConfig("spawn")
	config.Linux.SecurityContext.NamespaceOptions = shared
	b := n.runIn(pod, pc, config)
	b.says("ignoring")

	look := containerConfig("ls", "/proc")
	look.LogPath, look.Linux.SecurityContext.NamespaceOptions = "look/0.log", shared
	l := n.runIn(pod, pc, look)
	l.exit()
	assert.Len(t, numbers(l.output()), 4, "pause, the first container, its child and this one")

	_, err := n.runtime.StopContainer(t.Context(), &runtimeapi.StopContainerRequest{ContainerId: b.id, Timeout: 30})
	require.NoError(t, err)
	after := containerConfig("ls", "/proc")
	after.LogPath, after.Linux.SecurityContext.NamespaceOptions = "after/0.log", shared
	a := n.runIn(pod, pc, after)
	a.exit()
	assert.Len(t, numbers(a.output()), 2, "pause and this one: what the first container left behind was killed")
}

func numbers(text string) []string {
	var found []string
	for _, f := range strings.Fields(text) {
		if _, err := strconv.Atoi(f); err == nil {
			found = append(found, f)
		}
	}
	return found
}

func TestWhatTheRuntimeHasNotIsRefused(t *testing.T) {
	n := startNode(t)
	options := func(o *runtimeapi.NamespaceOption) func(*runtimeapi.PodSandboxConfig) {
		return func(c *runtimeapi.PodSandboxConfig) { c.Linux.SecurityContext.NamespaceOptions = o }
	}
	for want, change := range map[string]func(*runtimeapi.PodSandboxConfig){
		"pods may not use this node's network":  options(&runtimeapi.NamespaceOption{Network: runtimeapi.NamespaceMode_NODE}),
		"pods may not see this node's process":  options(&runtimeapi.NamespaceOption{Pid: runtimeapi.NamespaceMode_NODE}),
		"pods may not use this node's IPC":      options(&runtimeapi.NamespaceOption{Ipc: runtimeapi.NamespaceMode_NODE}),
		"user namespaces are not supported":     options(&runtimeapi.NamespaceOption{UsernsOptions: &runtimeapi.UserNamespace{}}),
		"hostPort 80: ports of the node":        func(c *runtimeapi.PodSandboxConfig) { c.PortMappings = []*runtimeapi.PortMapping{{HostPort: 80}} },
		"not a setting of the pod's own namesp": func(c *runtimeapi.PodSandboxConfig) { c.Linux.Sysctls = map[string]string{"vm.swappiness": "1"} },
	} {
		config := podConfig(n)
		change(config)
		_, err := n.runtime.RunPodSandbox(t.Context(), &runtimeapi.RunPodSandboxRequest{Config: config})
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
		assert.ErrorContains(t, err, want)
	}
	_, err := n.runtime.RunPodSandbox(t.Context(), &runtimeapi.RunPodSandboxRequest{Config: podConfig(n), RuntimeHandler: "kata"})
	assert.ErrorContains(t, err, `runtime handler "kata"`)
}

func TestManyPodsStartAndStopAtOnce(t *testing.T) {
	n := startNode(t)
	ctx := t.Context()
	ended := make(chan error)
	live := func(config *runtimeapi.PodSandboxConfig) error {
		pod, err := n.runtime.RunPodSandbox(ctx, &runtimeapi.RunPodSandboxRequest{Config: config})
		if err != nil {
			return err
		}
		c, err := n.runtime.CreateContainer(ctx, &runtimeapi.CreateContainerRequest{PodSandboxId: pod.PodSandboxId, Config: containerConfig("wait"), SandboxConfig: config})
		if err != nil {
			return err
		}
		if _, err := n.runtime.StartContainer(ctx, &runtimeapi.StartContainerRequest{ContainerId: c.ContainerId}); err != nil {
			return err
		}
		if _, err := n.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: c.ContainerId, Cmd: []string{"payload", "echo"}}); err != nil {
			return err
		}
		_, err = n.runtime.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: pod.PodSandboxId})
		return err
	}
	const pods = 30
	for range pods {
		config := podConfig(n)
		go func() { ended <- live(config) }()
	}
	for range pods {
		assert.NoError(t, <-ended)
	}
	assert.Empty(t, podLinks(t))
	list, err := n.runtime.ListContainers(ctx, &runtimeapi.ListContainersRequest{})
	require.NoError(t, err)
	assert.Empty(t, list.Containers)
}

// TestTheStartIsFast keeps the promise of the package's users with a wide
// margin; what it logs is the real number.
func TestTheStartIsFast(t *testing.T) {
	n := startNode(t)
	lap := func(what string, limit time.Duration, f func()) {
		begin := time.Now()
		f()
		took := time.Since(begin)
		t.Log(what, took)
		assert.Less(t, took, 10*limit, what)
	}
	var pod string
	var pc *runtimeapi.PodSandboxConfig
	lap("run pod sandbox", 20*time.Millisecond, func() { pod, pc = n.pod() })
	var b *box
	lap("create and start container", 50*time.Millisecond, func() { b = n.runIn(pod, pc, containerConfig("wait")) })
	lap("exec", 50*time.Millisecond, func() {
		_, err := n.runtime.ExecSync(t.Context(), &runtimeapi.ExecSyncRequest{ContainerId: b.id, Cmd: []string{"payload", "echo"}})
		require.NoError(t, err)
	})
	lap("stop pod sandbox", 100*time.Millisecond, func() {
		_, err := n.runtime.StopPodSandbox(t.Context(), &runtimeapi.StopPodSandboxRequest{PodSandboxId: pod})
		require.NoError(t, err)
	})
}
