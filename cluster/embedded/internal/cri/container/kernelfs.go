package container

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mountKernelFS mounts what every Linux program expects below /proc, /sys and
// /dev. All of it belongs to the container's own namespaces.
func mountKernelFS(r Root, sharedMemory int) error {
	const safe = unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NODEV
	sys := uintptr(safe | unix.MS_RDONLY)
	if r.WritableSys {
		sys = safe
	}
	for _, m := range []struct {
		kind, target, options string
		flags                 uintptr
		optional              bool
	}{
		{kind: "proc", target: "/proc", flags: safe},
		{kind: "sysfs", target: "/sys", flags: sys},
		{kind: "tmpfs", target: "/dev", flags: unix.MS_NOSUID | unix.MS_STRICTATIME, options: "mode=755,size=65536k"},
		{kind: "devpts", target: "/dev/pts", flags: unix.MS_NOSUID | unix.MS_NOEXEC, options: "newinstance,ptmxmode=0666,mode=0620,gid=5"},
		// Kernels are built without it, and few programs miss it.
		{kind: "mqueue", target: "/dev/mqueue", flags: safe, optional: true},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
		err := unix.Mount(m.kind, m.target, m.kind, m.flags, m.options)
		if m.optional && errors.Is(err, unix.ENODEV) {
			continue
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := makeDevices(); err != nil {
		return err
	}
	return detachedMount{Mount: Mount{Source: "shared memory", Target: "/dev/shm"}, fd: sharedMemory, dir: true}.attach()
}

// makeDevices fills /dev with the devices that the OCI runtime specification
// asks for: harmless ones, none of the machine's.
func makeDevices() error {
	for _, d := range []struct {
		name         string
		major, minor uint32
	}{
		{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
	} {
		path := "/dev/" + d.name
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("make device %s: %w", path, err)
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(target, "/dev/"+name); err != nil {
			return fmt.Errorf("make device: %w", err)
		}
	}
	return nil
}
