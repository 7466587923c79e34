package namespaces

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestASysctlOfThePodsNamespacesIsAccepted(t *testing.T) {
	for _, name := range []string{
		"net.ipv4.ip_forward", "net/ipv4/ip_forward", "kernel.shmmax", "kernel.msgmnb", "kernel.sem", "fs.mqueue.msg_max",
	} {
		assert.NoError(t, Sysctl{Name: name}.Validate(), name)
	}
}

func TestASysctlOfTheMachineIsRefused(t *testing.T) {
	for _, name := range []string{
		"", "kernel.hostname", "vm.swappiness", "kernel.semantics", "fs.file-max", "net", "netx.ipv4", "net..ipv4", "net/../vm/swappiness", "net.ipv4./../../vm", "/net/ipv4",
	} {
		assert.Error(t, Sysctl{Name: name}.Validate(), name)
	}
}

func TestTheFirstSeparatorDecides(t *testing.T) {
	assert.Equal(t, "net/ipv4/conf/eth0.1/forwarding", Sysctl{Name: "net/ipv4/conf/eth0.1/forwarding"}.path())
	assert.Equal(t, "net/ipv4/conf/eth0.1/forwarding", Sysctl{Name: "net.ipv4.conf.eth0/1.forwarding"}.path())
}
