package cri_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
)

const testImage = "meshfed.local/payload:dev"

// node is a running server and its clients.
type node struct {
	t       *testing.T
	runtime runtimeapi.RuntimeServiceClient
	images  runtimeapi.ImageServiceClient
	logs    string
	pods    int
	stop    context.CancelFunc
	served  chan error
}

func startNode(t *testing.T, change ...func(*cri.Config)) *node {
	t.Helper()
	needRoot(t)
	// Not t.TempDir: the path of a unix socket must be short.
	dir, err := os.MkdirTemp("", "")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	writeImage(t, filepath.Join(dir, "images", "payload"), map[string]any{
		"names": []string{testImage}, "entrypoint": []string{"/bin/payload"}, "cmd": []string{"echo", "default"},
		"env": []string{"FROM=image", "KEPT=image", "PATH=/bin"},
	})
	store, err := image.OpenDir(filepath.Join(dir, "images"))
	require.NoError(t, err)
	cfg := cri.Config{
		Socket: filepath.Join(dir, "cri.sock"), StateDir: filepath.Join(dir, "state"), Images: store,
		PodCIDR: netip.MustParsePrefix("10.77.0.0/24"), Self: []string{"/proc/self/exe", insideWord},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	server, err := cri.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	n := &node{t: t, logs: filepath.Join(dir, "logs"), stop: cancel, served: make(chan error, 1)}
	go func() { n.served <- server.Serve(ctx) }()
	conn, err := grpc.NewClient("unix://"+cfg.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	require.NoError(t, err)
	n.runtime, n.images = runtimeapi.NewRuntimeServiceClient(conn), runtimeapi.NewImageServiceClient(conn)
	t.Cleanup(func() {
		_ = conn.Close()
		n.shutDown()
	})
	return n
}

// shutDown ends the server once and waits for it.
func (n *node) shutDown() {
	if n.stop == nil {
		return
	}
	n.stop()
	n.stop = nil
	select {
	case err := <-n.served:
		assert.NoError(n.t, err)
	case <-time.After(10 * time.Second):
		assert.Fail(n.t, "the server does not end 10 s after its context")
	}
}

func writeImage(t *testing.T, dir string, description map[string]any) {
	t.Helper()
	rootfs := filepath.Join(dir, "rootfs")
	for _, d := range []string{"bin", "etc", "tmp", "data"} {
		require.NoError(t, os.MkdirAll(filepath.Join(rootfs, d), 0o755))
	}
	require.NoError(t, os.Chmod(filepath.Join(rootfs, "tmp"), 0o1777))
	payload, err := os.ReadFile(os.Getenv(payloadPath))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(rootfs, "bin", "payload"), payload, 0o755))
	suid := filepath.Join(rootfs, "bin", "suid")
	require.NoError(t, os.WriteFile(suid, payload, 0o755))
	require.NoError(t, os.Chmod(suid, 0o755|os.ModeSetuid))
	require.NoError(t, os.WriteFile(filepath.Join(rootfs, "etc", "passwd"),
		[]byte("root:x:0:0:root:/root:/bin/sh\nenvoy:x:1337:1338::/home/envoy:/bin/sh\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(rootfs, "etc", "group"), []byte("root:x:0:\nmesh:x:1338:\nextra:x:2000:envoy\n"), 0o644))
	raw, err := json.Marshal(description)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "image.json"), raw, 0o644))
}

// pod runs a sandbox and returns its id and configuration.
func (n *node) pod(change ...func(*runtimeapi.PodSandboxConfig)) (string, *runtimeapi.PodSandboxConfig) {
	n.t.Helper()
	config := podConfig(n)
	for _, c := range change {
		c(config)
	}
	resp, err := n.runtime.RunPodSandbox(n.t.Context(), &runtimeapi.RunPodSandboxRequest{Config: config})
	require.NoError(n.t, err)
	return resp.PodSandboxId, config
}

func podConfig(n *node) *runtimeapi.PodSandboxConfig {
	n.pods++
	return &runtimeapi.PodSandboxConfig{
		Metadata: &runtimeapi.PodSandboxMetadata{Name: "pod", Namespace: "test", Uid: "uid"},
		Hostname: "pod-host", LogDirectory: filepath.Join(n.logs, strconv.Itoa(n.pods)), Labels: map[string]string{"app": "pod"},
		DnsConfig: &runtimeapi.DNSConfig{Servers: []string{"10.1.2.3"}, Searches: []string{"a.local", "b.local"}, Options: []string{"ndots:5"}},
		Linux: &runtimeapi.LinuxPodSandboxConfig{SecurityContext: &runtimeapi.LinuxSandboxSecurityContext{
			NamespaceOptions: &runtimeapi.NamespaceOption{Pid: runtimeapi.NamespaceMode_CONTAINER},
		}},
	}
}

// box is a container in a pod.
type box struct {
	*node
	pod, id, log string
}

func containerConfig(args ...string) *runtimeapi.ContainerConfig {
	return &runtimeapi.ContainerConfig{
		Metadata: &runtimeapi.ContainerMetadata{Name: "main"}, Image: &runtimeapi.ImageSpec{Image: testImage}, Args: args,
		LogPath: "main/0.log",
		Linux: &runtimeapi.LinuxContainerConfig{SecurityContext: &runtimeapi.LinuxContainerSecurityContext{
			NamespaceOptions: &runtimeapi.NamespaceOption{Pid: runtimeapi.NamespaceMode_CONTAINER},
			MaskedPaths:      []string{"/proc/kcore", "/proc/acpi", "/proc/keys"},
			ReadonlyPaths:    []string{"/proc/sys", "/proc/bus"},
		}},
	}
}

func (n *node) create(pod string, podConfig *runtimeapi.PodSandboxConfig, config *runtimeapi.ContainerConfig) (*box, error) {
	resp, err := n.runtime.CreateContainer(n.t.Context(), &runtimeapi.CreateContainerRequest{PodSandboxId: pod, Config: config, SandboxConfig: podConfig})
	if err != nil {
		return nil, err
	}
	return &box{node: n, pod: pod, id: resp.ContainerId, log: filepath.Join(podConfig.LogDirectory, config.LogPath)}, nil
}

func (b *box) start() error {
	_, err := b.runtime.StartContainer(b.t.Context(), &runtimeapi.StartContainerRequest{ContainerId: b.id})
	return err
}

// run starts a container in a new pod.
func (n *node) run(config *runtimeapi.ContainerConfig) *box {
	n.t.Helper()
	pod, pc := n.pod()
	return n.runIn(pod, pc, config)
}

func (n *node) runIn(pod string, pc *runtimeapi.PodSandboxConfig, config *runtimeapi.ContainerConfig) *box {
	n.t.Helper()
	b, err := n.create(pod, pc, config)
	require.NoError(n.t, err)
	require.NoError(n.t, b.start())
	return b
}

func (b *box) status() *runtimeapi.ContainerStatus {
	b.t.Helper()
	resp, err := b.runtime.ContainerStatus(b.t.Context(), &runtimeapi.ContainerStatusRequest{ContainerId: b.id})
	require.NoError(b.t, err)
	return resp.Status
}

// patience is how long anything here may take on a busy machine.
const patience = 15 * time.Second

// exit waits for the container's end.
func (b *box) exit() *runtimeapi.ContainerStatus {
	b.t.Helper()
	var st *runtimeapi.ContainerStatus
	require.EventuallyWithT(b.t, func(c *assert.CollectT) {
		st = b.status()
		assert.Equal(c, runtimeapi.ContainerState_CONTAINER_EXITED.String(), st.State.String())
	}, patience, 2*time.Millisecond)
	return st
}

// says waits until the log holds a text.
func (b *box) says(text string) {
	b.t.Helper()
	require.EventuallyWithT(b.t, func(c *assert.CollectT) {
		raw, err := os.ReadFile(b.log)
		assert.NoError(c, err)
		assert.Contains(c, string(raw), text)
	}, patience, 2*time.Millisecond)
}

// output is what an ended container has written, without the log's format.
func (b *box) output() string {
	b.t.Helper()
	raw, err := os.ReadFile(b.log)
	require.NoError(b.t, err)
	var out strings.Builder
	for line := range strings.Lines(string(raw)) {
		parts := strings.SplitN(line, " ", 4)
		require.Len(b.t, parts, 4, line)
		out.WriteString(parts[3])
	}
	return out.String()
}

// outcome runs a container to its end and returns its output.
func (n *node) outcome(config *runtimeapi.ContainerConfig) string {
	n.t.Helper()
	b := n.run(config)
	st := b.exit()
	require.Zero(n.t, st.ExitCode, b.output())
	return b.output()
}

// self runs a container that describes itself.
func (n *node) self(change ...func(*runtimeapi.ContainerConfig)) map[string]string {
	n.t.Helper()
	config := containerConfig("self")
	for _, c := range change {
		c(config)
	}
	var d map[string]string
	require.NoError(n.t, json.Unmarshal([]byte(n.outcome(config)), &d))
	return d
}
