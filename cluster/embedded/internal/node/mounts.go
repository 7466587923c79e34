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

// EtcdDisk is where etcd has a disk of its own, as seen in the node's mount
// namespace: one that is full for etcd is full for nobody else.
const EtcdDisk = stateDir + "/etcd"

// etcdDiskSize bounds what etcd writes, and so the memory that a full disk takes:
// 128 MiB for its log and its next one, the rest for the database.
const etcdDiskSize = "512m"

func mountEtcdDisk() error {
	if err := os.MkdirAll(EtcdDisk, 0o700); err != nil {
		return fmt.Errorf("folder for the disk of etcd: %w", err)
	}
	if err := unix.Mount("meshfed-etcd", EtcdDisk, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=700,size="+etcdDiskSize); err != nil {
		return fmt.Errorf("disk of etcd: %w", err)
	}
	return nil
}
