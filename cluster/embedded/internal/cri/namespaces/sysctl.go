package namespaces

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Sysctl is one kernel setting by its dotted name ("net.ipv4.ip_forward").
type Sysctl struct{ Name, Value string }

// Validate accepts settings that belong to a namespace of the pod: those of the
// network and of System V and POSIX message queues. Any other would change the
// whole machine.
func (s Sysctl) Validate() error {
	path := s.path()
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("sysctl %q: not a setting's name", s.Name)
		}
	}
	for _, prefix := range []string{"net/", "kernel/shm", "kernel/msg", "fs/mqueue/"} {
		if strings.HasPrefix(path, prefix) {
			return nil
		}
	}
	if path == "kernel/sem" {
		return nil
	}
	return fmt.Errorf("sysctl %q: not a setting of the pod's own namespaces (net.*, kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*)", s.Name)
}

// OfNetwork says whether the setting belongs to a network namespace.
func (s Sysctl) OfNetwork() bool { return strings.HasPrefix(s.path(), "net/") }

// path follows sysctl(8): the first separator, dot or slash, is the separator,
// and the other one is then part of a name ("net/ipv4/conf/eth0.1/forwarding").
func (s Sysctl) path() string {
	if i := strings.IndexAny(s.Name, "./"); i >= 0 && s.Name[i] == '.' {
		return strings.NewReplacer(".", "/", "/", ".").Replace(s.Name)
	}
	return s.Name
}

// Apply writes the setting in the namespaces of the calling thread.
func (s Sysctl) Apply() error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join("/proc/sys", s.path()), []byte(s.Value), 0o644); err != nil {
		return fmt.Errorf("sysctl %s=%s: %w", s.Name, s.Value, err)
	}
	return nil
}

// ApplyIfKnown is Apply for settings that a kernel may lack.
func (s Sysctl) ApplyIfKnown() error {
	if _, err := os.Stat(filepath.Join("/proc/sys", s.path())); os.IsNotExist(err) {
		return nil
	}
	return s.Apply()
}
