package cri

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Files of a pod that all its containers see.
const (
	resolvConf   = "resolv.conf"
	hostsFile    = "hosts"
	hostNameFile = "hostname"
	sharedMemory = "shm"
)

// sharedMemorySize is the limit of a pod's /dev/shm, as containerd has it.
const sharedMemorySize = "64m"

// writeFiles makes the pod's directory with what does not depend on its network.
func (p *sandbox) writeFiles() error {
	if err := os.MkdirAll(p.file(sharedMemory), 0o711); err != nil {
		return fmt.Errorf("make pod files: %w", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("shm", p.file(sharedMemory), "tmpfs", flags, "mode=1777,size="+sharedMemorySize); err != nil {
		return fmt.Errorf("make pod files: shared memory: %w", err)
	}
	conf, err := p.resolvConf()
	if err != nil {
		return fmt.Errorf("make pod files: %w", err)
	}
	return errors.Join(p.write(resolvConf, conf), p.write(hostNameFile, p.hostName()+"\n"))
}

// writeHosts makes the /etc/hosts of pods for which kubelet gives none.
func (p *sandbox) writeHosts() error {
	hosts := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	if p.addr.IsValid() {
		hosts += fmt.Sprintf("%s\t%s\n", p.addr, p.hostName())
	}
	return p.write(hostsFile, hosts)
}

func (p *sandbox) write(name, content string) error {
	if err := os.WriteFile(p.file(name), []byte(content), 0o644); err != nil {
		return fmt.Errorf("make pod files: %w", err)
	}
	return nil
}

// resolvConf follows the pod's DNS settings; a pod without any has the node's.
func (p *sandbox) resolvConf() (string, error) {
	dns := p.config.GetDnsConfig()
	if dns == nil {
		node, err := os.ReadFile("/etc/resolv.conf")
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return string(node), err
	}
	return formatResolvConf(dns), nil
}

func formatResolvConf(dns *runtimeapi.DNSConfig) string {
	var b strings.Builder
	if len(dns.GetSearches()) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(dns.GetSearches(), " "))
	}
	for _, server := range dns.GetServers() {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	if len(dns.GetOptions()) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(dns.GetOptions(), " "))
	}
	return b.String()
}
