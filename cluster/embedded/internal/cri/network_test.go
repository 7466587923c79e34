package cri_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri"
)

func (n *node) address(pod string) string {
	n.t.Helper()
	resp, err := n.runtime.PodSandboxStatus(n.t.Context(), &runtimeapi.PodSandboxStatusRequest{PodSandboxId: pod})
	require.NoError(n.t, err)
	return resp.Status.Network.Ip
}

func podLinks(t *testing.T) []string {
	t.Helper()
	links, err := netlink.LinkList()
	require.NoError(t, err)
	var names []string
	for _, l := range links {
		if l.Type() == "veth" {
			names = append(names, l.Attrs().Name)
		}
	}
	return names
}

func TestPodsReachEachOtherByTheirOwnAddresses(t *testing.T) {
	n := startNode(t)
	server := n.run(containerConfig("serve", ":9080"))
	server.says("listening")
	client := n.run(containerConfig("wait"))
	got := client.exec("payload", "dial", n.address(server.pod)+":9080", "hello")
	assert.Equal(t, "you are "+n.address(client.pod)+" and said hello\n", got.stdout, got.stderr)
}

func TestThePodsAddressesAreOfItsNetworkAndTheGatewayIsNobodys(t *testing.T) {
	n := startNode(t)
	first, _ := n.pod()
	second, _ := n.pod()
	assert.Equal(t, "10.77.0.2", n.address(first))
	assert.Equal(t, "10.77.0.3", n.address(second))
}

func TestAPodsLinkAndAddressAreFreedWhenItStops(t *testing.T) {
	n := startNode(t, func(c *cri.Config) { c.PodCIDR = netip.MustParsePrefix("10.77.9.0/29") })
	for range 8 { // more pods than the network has addresses
		pod, _ := n.pod()
		assert.Len(t, podLinks(t), 1)
		_, err := n.runtime.StopPodSandbox(t.Context(), &runtimeapi.StopPodSandboxRequest{PodSandboxId: pod})
		require.NoError(t, err)
		assert.Empty(t, podLinks(t))
	}
	for range 5 {
		n.pod()
	}
	_, err := n.runtime.RunPodSandbox(t.Context(), &runtimeapi.RunPodSandboxRequest{Config: podConfig(n)})
	assert.ErrorContains(t, err, "all 5 addresses of 10.77.9.0/29 are in use")
	assert.Len(t, podLinks(t), 5, "the pod that failed left nothing")
}

func TestContainersOfAPodShareItsLoopback(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod()
	n.runIn(pod, pc, containerConfig("serve", "127.0.0.1:80")).says("listening")
	config := containerConfig("dial", "127.0.0.1:80", "hi")
	config.LogPath = "second/0.log"
	b := n.runIn(pod, pc, config)
	b.exit()
	assert.Contains(t, b.output(), "said hi")
}

func TestAnUnprivilegedProcessMayBindALowPort(t *testing.T) {
	n := startNode(t)
	config := containerConfig("serve", ":80")
	security(config).RunAsUsername = "envoy"
	n.run(config).says("listening")
}

func TestSysctlsOfThePodAreSet(t *testing.T) {
	n := startNode(t)
	pod, pc := n.pod(func(c *runtimeapi.PodSandboxConfig) {
		c.Linux.Sysctls = map[string]string{"net.ipv4.ip_forward": "0", "net.ipv4.tcp_keepalive_time": "77"}
	})
	b := n.runIn(pod, pc, containerConfig("cat", "/proc/sys/net/ipv4/tcp_keepalive_time"))
	b.exit()
	assert.Equal(t, "77\n", b.output())
}

func TestAPodOfTheNodesNetworkHasTheNodesName(t *testing.T) {
	n := startNode(t, func(c *cri.Config) { c.AllowHostNetwork = true })
	pod, pc := n.pod(func(c *runtimeapi.PodSandboxConfig) {
		c.Linux.SecurityContext.NamespaceOptions.Network = runtimeapi.NamespaceMode_NODE
		c.Hostname = ""
	})
	assert.Empty(t, n.address(pod), "kubelet reports the node's")
	b := n.runIn(pod, pc, containerConfig("ls", "/sys/class/net"))
	b.exit()
	assert.NotContains(t, strings.Fields(b.output()), "eth0")
	assert.Contains(t, strings.Fields(b.output()), "lo")

	config := podConfig(n)
	config.Linux.SecurityContext.NamespaceOptions.Network = runtimeapi.NamespaceMode_NODE
	config.Linux.Sysctls = map[string]string{"net.ipv4.ip_forward": "0"}
	_, err := n.runtime.RunPodSandbox(t.Context(), &runtimeapi.RunPodSandboxRequest{Config: config})
	assert.ErrorContains(t, err, "with hostNetwork it would be the node's")
}
