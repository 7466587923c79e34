package cri_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
)

func TestAContainerSeesNoFilesOfTheNode(t *testing.T) {
	n := startNode(t)
	root := strings.Fields(n.outcome(containerConfig("ls", "/")))
	assert.ElementsMatch(t, []string{"bin", "data", "dev", "etc", "proc", "sys", "tmp"}, root)

	mounts := n.outcome(containerConfig("cat", "/proc/self/mountinfo"))
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		assert.NotContains(t, []string{"/root", "/home", "/usr"}, fields[4])
		if strings.Contains(line, " - ext4 ") {
			assert.Fail(t, "a disk of the node is mounted", line)
		}
	}
	b := n.run(containerConfig("ls", "/../../../../root"))
	b.exit()
	assert.Contains(t, b.output(), "no such file or directory")
}

func TestAContainerSeesNoProcessesOfTheNode(t *testing.T) {
	n := startNode(t)
	assert.Equal(t, []string{"1"}, numbers(n.outcome(containerConfig("ls", "/proc"))))
	assert.Equal(t, "1", n.self()["Pid"])
}

func TestAContainerSeesOnlyHarmlessDevices(t *testing.T) {
	n := startNode(t)
	assert.ElementsMatch(t,
		strings.Fields("fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"),
		strings.Fields(n.outcome(containerConfig("ls", "/dev"))))
	assert.Equal(t, "/dev/null", n.self()["fd0"])
}

func TestAContainerInheritsNoFileDescriptors(t *testing.T) {
	n := startNode(t)
	// The listing itself needs one; Go's poller may have its own.
	fds := numbers(n.outcome(containerConfig("ls", "/proc/self/fd")))
	assert.Subset(t, []string{"0", "1", "2", "3", "4", "5", "6"}, fds)
	b := n.run(containerConfig("wait"))
	b.says("waiting")
	for _, fd := range []string{"3", "4", "5", "6"} {
		target, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(b.pid()), "fd", fd))
		if err == nil {
			assert.True(t, strings.HasPrefix(target, "anon_inode:"), "descriptor %s is %s", fd, target)
		}
	}
}

func TestOneContainersWritesAreNotSeenByAnother(t *testing.T) {
	n := startNode(t)
	n.outcome(containerConfig("write", "/data/mine", "x"))
	assert.Empty(t, n.outcome(containerConfig("ls", "/data")))
}

func TestThePodsFilesAreThere(t *testing.T) {
	n := startNode(t)
	assert.Equal(t, "search a.local b.local\nnameserver 10.1.2.3\noptions ndots:5\n", n.outcome(containerConfig("cat", "/etc/resolv.conf")))
	assert.Equal(t, "pod-host\n", n.outcome(containerConfig("cat", "/etc/hostname")))
	assert.Contains(t, n.outcome(containerConfig("cat", "/etc/hosts")), "\tpod-host\n")
	d := n.self()
	assert.Equal(t, "pod-host", d["hostname"])
	assert.Equal(t, "/", d["cwd"])
	assert.Equal(t, "0022", d["Umask"])
}

func TestTheEnvironmentIsThePodsOverTheImages(t *testing.T) {
	n := startNode(t)
	config := containerConfig("env")
	config.Envs = []*runtimeapi.KeyValue{{Key: "FROM", Value: []byte("pod")}, {Key: "EMPTY", Value: nil}}
	assert.ElementsMatch(t,
		[]string{"HOSTNAME=pod-host", "FROM=pod", "KEPT=image", "PATH=/bin", "EMPTY=", "HOME=/root"},
		strings.Split(strings.TrimSpace(n.outcome(config)), "\n"))
}

func TestTheWorkingDirectoryIsMade(t *testing.T) {
	n := startNode(t)
	assert.Equal(t, "/made/here", n.self(func(c *runtimeapi.ContainerConfig) { c.WorkingDir = "/made/here" })["cwd"])
}

func security(c *runtimeapi.ContainerConfig) *runtimeapi.LinuxContainerSecurityContext {
	return c.Linux.SecurityContext
}

func TestTheUserIsWhomThePodOrTheImageNames(t *testing.T) {
	n := startNode(t)
	id := func(v int64) *runtimeapi.Int64Value { return &runtimeapi.Int64Value{Value: v} }
	for name, tc := range map[string]struct {
		change           func(*runtimeapi.LinuxContainerSecurityContext)
		uid, gid, groups string
	}{
		"root by default":    {func(*runtimeapi.LinuxContainerSecurityContext) {}, "0", "0", "0"},
		"a number in passwd": {func(s *runtimeapi.LinuxContainerSecurityContext) { s.RunAsUser = id(1337) }, "1337", "1338", "1338 2000"},
		"a name":             {func(s *runtimeapi.LinuxContainerSecurityContext) { s.RunAsUsername = "envoy" }, "1337", "1338", "1338 2000"},
		"a stranger":         {func(s *runtimeapi.LinuxContainerSecurityContext) { s.RunAsUser = id(4711) }, "4711", "0", "0"},
		"with a group": {func(s *runtimeapi.LinuxContainerSecurityContext) {
			s.RunAsUser, s.RunAsGroup, s.SupplementalGroups = id(1337), id(1), []int64{3000}
		}, "1337", "1", "1 2000 3000"},
		"strictly the pod's groups": {func(s *runtimeapi.LinuxContainerSecurityContext) {
			s.RunAsUser, s.SupplementalGroups, s.SupplementalGroupsPolicy = id(1337), []int64{3000}, runtimeapi.SupplementalGroupsPolicy_Strict
		}, "1337", "1338", "1338 3000"},
	} {
		d := n.self(func(c *runtimeapi.ContainerConfig) { tc.change(security(c)) })
		assert.Equal(t, strings.Repeat("\t"+tc.uid, 4)[1:], d["Uid"], name)
		assert.Equal(t, strings.Repeat("\t"+tc.gid, 4)[1:], d["Gid"], name)
		assert.Equal(t, tc.groups, d["Groups"], name)
	}
}

func TestAnUnknownUserNameIsExplained(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	config := containerConfig("self")
	security(config).RunAsUsername = "nobody-here"
	b, err := n.create(pod, pc, config)
	require.NoError(t, err)
	assert.ErrorContains(t, b.start(), `user "nobody-here": no such user in the container's /etc/passwd`)
}

func TestTheStatusNamesTheUser(t *testing.T) {
	n := startNode(t)
	config := containerConfig("wait")
	security(config).RunAsUsername = "envoy"
	user := n.run(config).status().User.Linux
	assert.Equal(t, int64(1337), user.Uid)
	assert.Equal(t, int64(1338), user.Gid)
	assert.Equal(t, []int64{1338, 2000}, user.SupplementalGroups)
}

func capMask(t *testing.T, hex string) container.CapabilitySet {
	t.Helper()
	v, err := strconv.ParseUint(hex, 16, 64)
	require.NoError(t, err)
	return container.CapabilitySet(v)
}

func TestCapabilitiesAreWhatThePodAllows(t *testing.T) {
	n := startNode(t)
	netAdmin, err := container.ParseCapabilities([]string{"NET_ADMIN"})
	require.NoError(t, err)
	held := capMask(t, readStatus(t, "CapEff"))
	for name, tc := range map[string]struct {
		change func(*runtimeapi.LinuxContainerSecurityContext)
		want   container.CapabilitySet
	}{
		"the default": {func(*runtimeapi.LinuxContainerSecurityContext) {}, container.DefaultCapabilities()},
		"one more": {func(s *runtimeapi.LinuxContainerSecurityContext) {
			s.Capabilities = &runtimeapi.Capability{AddCapabilities: []string{"NET_ADMIN"}}
		}, container.DefaultCapabilities() | netAdmin},
		"only one": {func(s *runtimeapi.LinuxContainerSecurityContext) {
			s.Capabilities = &runtimeapi.Capability{DropCapabilities: []string{"ALL"}, AddCapabilities: []string{"CAP_NET_ADMIN"}}
		}, netAdmin},
		"none": {func(s *runtimeapi.LinuxContainerSecurityContext) {
			s.Capabilities = &runtimeapi.Capability{DropCapabilities: []string{"all"}}
		}, 0},
		"privileged": {func(s *runtimeapi.LinuxContainerSecurityContext) { s.Privileged = true }, held},
	} {
		d := n.self(func(c *runtimeapi.ContainerConfig) { tc.change(security(c)) })
		assert.Equal(t, tc.want&held, capMask(t, d["CapEff"]), name+": effective")
		assert.Equal(t, tc.want&held, capMask(t, d["CapBnd"]), name+": bounding")
		assert.Zero(t, capMask(t, d["CapInh"]), name+": inheritable")
	}
}

func readStatus(t *testing.T, key string) string {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if k, v, _ := strings.Cut(line, ":"); k == key {
			return strings.TrimSpace(v)
		}
	}
	require.Fail(t, "no such line", key)
	return ""
}

func TestAnotherUserHasNoCapabilitiesButAmbientOnes(t *testing.T) {
	n := startNode(t)
	d := n.self(func(c *runtimeapi.ContainerConfig) { security(c).RunAsUsername = "envoy" })
	assert.Zero(t, capMask(t, d["CapEff"]))
	assert.Equal(t, container.DefaultCapabilities(), capMask(t, d["CapBnd"]))

	d = n.self(func(c *runtimeapi.ContainerConfig) {
		security(c).RunAsUsername = "envoy"
		security(c).Capabilities = &runtimeapi.Capability{AddAmbientCapabilities: []string{"NET_ADMIN"}}
	})
	netAdmin, err := container.ParseCapabilities([]string{"NET_ADMIN"})
	require.NoError(t, err)
	assert.Equal(t, netAdmin, capMask(t, d["CapEff"]))
}

func TestNoNewPrivilegesIsSetWhenAsked(t *testing.T) {
	n := startNode(t)
	assert.Equal(t, "0", n.self()["NoNewPrivs"])
	assert.Equal(t, "1", n.self(func(c *runtimeapi.ContainerConfig) { security(c).NoNewPrivs = true })["NoNewPrivs"])
}

func TestASetuidProgramGainsNothingUnderNoNewPrivileges(t *testing.T) {
	n := startNode(t)
	euid := func(noNewPrivs bool) string {
		config := containerConfig("euid")
		config.Command = []string{"suid"}
		security(config).RunAsUsername, security(config).NoNewPrivs = "envoy", noNewPrivs
		return n.outcome(config)
	}
	assert.Equal(t, "Effective uid: 0\n", euid(false))
	assert.Equal(t, "Effective uid: 1337\n", euid(true))
}

// Envoy, as uid 1337, opens its access log /dev/stdout by name and rejects its
// listeners if it may not.
func TestAnUnprivilegedProcessCanOpenItsStandardOutputAgain(t *testing.T) {
	n := startNode(t)
	config := containerConfig("reopen")
	security(config).RunAsUser = &runtimeapi.Int64Value{Value: 1337}
	assert.Equal(t, "by its own name\n", n.outcome(config))
}

func TestLocalProfilesAndDevicesAreRefused(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	local := &runtimeapi.SecurityProfile{ProfileType: runtimeapi.SecurityProfile_Localhost, LocalhostRef: "mine"}
	for want, change := range map[string]func(*runtimeapi.ContainerConfig){
		`seccomp profile "mine"`:  func(c *runtimeapi.ContainerConfig) { security(c).Seccomp = local },
		`AppArmor profile "mine"`: func(c *runtimeapi.ContainerConfig) { security(c).Apparmor = local },
		"devices of the node": func(c *runtimeapi.ContainerConfig) {
			c.Devices = []*runtimeapi.Device{{HostPath: "/dev/kmsg", ContainerPath: "/dev/kmsg"}}
		},
		`capability "FLY": no such capability`: func(c *runtimeapi.ContainerConfig) {
			security(c).Capabilities = &runtimeapi.Capability{AddCapabilities: []string{"FLY"}}
		},
		"runAsGroup without a user": func(c *runtimeapi.ContainerConfig) { security(c).RunAsGroup = &runtimeapi.Int64Value{Value: 1} },
		"not see this node's processes": func(c *runtimeapi.ContainerConfig) {
			security(c).NamespaceOptions = &runtimeapi.NamespaceOption{Pid: runtimeapi.NamespaceMode_NODE}
		},
	} {
		config := containerConfig()
		change(config)
		_, err := n.create(pod, pc, config)
		assert.ErrorContains(t, err, want)
	}
}
