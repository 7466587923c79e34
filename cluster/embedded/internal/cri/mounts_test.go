package cri_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func volume(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("of the node\n"), 0o644))
	return dir
}

func withMount(m *runtimeapi.Mount, args ...string) *runtimeapi.ContainerConfig {
	config := containerConfig(args...)
	config.Mounts = []*runtimeapi.Mount{m}
	return config
}

func TestADirectoryIsMountedWhereTheImageHasNone(t *testing.T) {
	n := startNode(t)
	dir := volume(t)
	m := &runtimeapi.Mount{HostPath: dir, ContainerPath: "/not/in/the/image"}
	assert.Equal(t, "of the node\n", n.outcome(withMount(m, "cat", "/not/in/the/image/file")))
	n.outcome(withMount(m, "write", "/not/in/the/image/new", "x"))
	assert.FileExists(t, filepath.Join(dir, "new"))
}

func TestASingleFileIsMounted(t *testing.T) {
	n := startNode(t)
	m := &runtimeapi.Mount{HostPath: filepath.Join(volume(t), "file"), ContainerPath: "/dev/termination-log"}
	assert.Equal(t, "of the node\n", n.outcome(withMount(m, "cat", "/dev/termination-log")))
}

func TestAReadOnlyMountCannotBeWritten(t *testing.T) {
	n := startNode(t)
	m := &runtimeapi.Mount{HostPath: volume(t), ContainerPath: "/data", Readonly: true}
	b := n.run(withMount(m, "write", "/data/new", "x"))
	assert.Equal(t, int32(1), b.exit().ExitCode)
	assert.Contains(t, b.output(), "read-only file system")
}

func TestAMissingSourceBecomesADirectory(t *testing.T) {
	n := startNode(t)
	missing := filepath.Join(t.TempDir(), "not", "there")
	assert.Empty(t, n.outcome(withMount(&runtimeapi.Mount{HostPath: missing, ContainerPath: "/data"}, "ls", "/data")))
	assert.DirExists(t, missing)
}

// A link in an image must lead a mount to a place in the container, wherever it
// points: followed on the node, it would put the mount over the node's files.
func TestALinkInTheImageDoesNotLeadAMountOut(t *testing.T) {
	n := startNode(t)
	images, err := n.images.ImageStatus(t.Context(), &runtimeapi.ImageStatusRequest{Image: &runtimeapi.ImageSpec{Image: testImage}, Verbose: true})
	require.NoError(t, err)
	outside := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(images.Info["rootfs"], "data", "link")))
	require.NoError(t, os.Symlink("../../../../../../tmp", filepath.Join(images.Info["rootfs"], "data", "up")))

	up := &runtimeapi.Mount{HostPath: volume(t), ContainerPath: "/data/up/x"}
	assert.Equal(t, "of the node\n", n.outcome(withMount(up, "cat", "/tmp/x/file")))
	link := &runtimeapi.Mount{HostPath: volume(t), ContainerPath: "/data/link"}
	b, err := n.create2(withMount(link, "ls", "/data/link"))
	require.NoError(t, err)
	assert.ErrorContains(t, b.start(), "make mount point", "the link points nowhere inside the container")
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// create2 is create in a new pod.
func (n *node) create2(config *runtimeapi.ContainerConfig) (*box, error) {
	n.t.Helper()
	pod, pc := n.pod()
	return n.create(pod, pc, config)
}

func TestAReadOnlyRootLeavesVolumesWritable(t *testing.T) {
	n := startNode(t)
	config := withMount(&runtimeapi.Mount{HostPath: volume(t), ContainerPath: "/data"}, "write", "/new", "x")
	security(config).ReadonlyRootfs = true
	b := n.run(config)
	assert.Equal(t, int32(1), b.exit().ExitCode)
	assert.Contains(t, b.output(), "read-only file system")
	config.Args = []string{"write", "/data/new", "x"}
	n.outcome(config)
	config.Args = []string{"write", "/etc/hosts", "x"}
	assert.NotZero(t, n.run(config).exit().ExitCode)
}

func TestMaskedPathsAreEmptyAndReadonlyOnesAreReadOnly(t *testing.T) {
	n := startNode(t)
	masked := func(args ...string) *runtimeapi.ContainerConfig {
		config := containerConfig(args...)
		security(config).MaskedPaths = []string{"/proc/version", "/proc/sys/kernel", "/proc/not/there"}
		return config
	}
	assert.Empty(t, n.outcome(masked("cat", "/proc/version")))
	assert.Empty(t, n.outcome(masked("ls", "/proc/sys/kernel")))
	assert.NotEmpty(t, n.outcome(containerConfig("ls", "/proc/sys/kernel")))
	assert.Contains(t, failure(n, "write", "/proc/sys/net/ipv4/ip_forward", "1"), "read-only file system")
	assert.Contains(t, failure(n, "write", "/sys/x", "1"), "read-only file system")
	config := containerConfig("write", "/proc/sys/net/ipv4/ip_forward", "1")
	security(config).Privileged = true
	n.outcome(config)
}

func failure(n *node, args ...string) string {
	n.t.Helper()
	b := n.run(containerConfig(args...))
	assert.NotZero(n.t, b.exit().ExitCode)
	return b.output()
}

func TestSharedMemoryIsThePods(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	n.runIn(pod, pc, containerConfig("write", "/dev/shm/x", "shared")).exit()
	config := containerConfig("cat", "/dev/shm/x")
	config.LogPath = "second/0.log"
	b := n.runIn(pod, pc, config)
	b.exit()
	assert.Equal(t, "shared\n", b.output())
	assert.Contains(t, failure(n, "cat", "/dev/shm/x"), "no such file", "another pod's is another")
}

func TestAnImageIsMountedReadOnly(t *testing.T) {
	n := startNode(t)
	m := &runtimeapi.Mount{Image: &runtimeapi.ImageSpec{Image: testImage}, ImageSubPath: "etc", ContainerPath: "/volume"}
	assert.Contains(t, n.outcome(withMount(m, "ls", "/volume")), "passwd")
	b := n.run(withMount(m, "write", "/volume/x", "x"))
	assert.NotZero(t, b.exit().ExitCode)
	_, err := n.create2(withMount(&runtimeapi.Mount{Image: &runtimeapi.ImageSpec{Image: "nosuch"}, ContainerPath: "/v"}, "ls"))
	assert.ErrorContains(t, err, "not on this node")
}

func TestMountsCrossTheBorderOnlyWhenAsked(t *testing.T) {
	n := startNode(t)
	shared := t.TempDir()
	require.NoError(t, unix.Mount(shared, shared, "", unix.MS_BIND, ""))
	require.NoError(t, unix.Mount("", shared, "", unix.MS_SHARED, ""))
	t.Cleanup(func() { _ = unix.Unmount(shared, unix.MNT_DETACH) })
	sub := filepath.Join(shared, "sub")
	require.NoError(t, os.Mkdir(sub, 0o755))

	later := func(p runtimeapi.MountPropagation) string {
		b := n.run(withMount(&runtimeapi.Mount{HostPath: shared, ContainerPath: "/data", Propagation: p}, "wait"))
		require.NoError(t, unix.Mount("tmpfs", sub, "tmpfs", 0, ""))
		defer func() { assert.NoError(t, unix.Unmount(sub, 0)) }()
		return b.exec("payload", "cat", "/proc/self/mountinfo").stdout
	}
	assert.NotContains(t, later(runtimeapi.MountPropagation_PROPAGATION_PRIVATE), " /data/sub ")
	assert.Contains(t, later(runtimeapi.MountPropagation_PROPAGATION_HOST_TO_CONTAINER), " /data/sub ")
	both := later(runtimeapi.MountPropagation_PROPAGATION_BIDIRECTIONAL)
	assert.Contains(t, both, " /data/sub ")
	for line := range strings.Lines(both) {
		if strings.Contains(line, " /data ") {
			assert.Contains(t, line, "shared:")
		}
	}
	b, err := n.create2(withMount(&runtimeapi.Mount{HostPath: "/etc", ContainerPath: "/data", Propagation: runtimeapi.MountPropagation_PROPAGATION_BIDIRECTIONAL}, "wait"))
	require.NoError(t, err)
	assert.ErrorContains(t, b.start(), `path "/etc" is not on a shared mount`)
}

func TestARecursivelyReadOnlyMountIncludesWhatIsBelow(t *testing.T) {
	n := startNode(t)
	dir := volume(t)
	sub := filepath.Join(dir, "sub")
	require.NoError(t, os.Mkdir(sub, 0o755))
	require.NoError(t, unix.Mount("tmpfs", sub, "tmpfs", 0, ""))
	t.Cleanup(func() { _ = unix.Unmount(sub, unix.MNT_DETACH) })
	m := &runtimeapi.Mount{HostPath: dir, ContainerPath: "/data", Readonly: true}
	n.outcome(withMount(m, "write", "/data/sub/x", "x"))
	m.RecursiveReadOnly = true
	b := n.run(withMount(m, "write", "/data/sub/x", "x"))
	b.exit()
	assert.Contains(t, b.output(), "read-only file system")
}
