package node

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// private returns the folders that kubelet and the runtime write to by fixed
// names. Each node covers them with memory of its own, so that two nodes never
// meet and nothing is left on the host's disk.
func private() []string {
	return []string{"/run", "/var/lib/kubelet", "/var/log", "/etc/cni", "/var/lib/cni"}
}

func mountPrivate() error {
	for _, dir := range private() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("folder for a private mount: %w", err)
		}
		if err := unix.Mount("meshfed", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("private %s: %w", dir, err)
		}
	}
	// Volumes that kubelet mounts later must reach containers that ask for
	// propagation; kubelet's own folder is shared within this node.
	if err := unix.Mount("", "/var/lib/kubelet", "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("share kubelet's folder: %w", err)
	}
	return nil
}
