package container

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// detachedMount is a mount that is nowhere yet.
type detachedMount struct {
	Mount
	fd  int
	dir bool
}

// detachMount clones a mount of the node. A source that is not there becomes an
// empty directory, as other runtimes do.
func detachMount(m Mount) (detachedMount, error) {
	d := detachedMount{Mount: m}
	if err := checkShared(m); err != nil {
		return d, d.fault("share", err)
	}
	fd, err := openTree(m.Source)
	if errors.Is(err, unix.ENOENT) {
		if err := os.MkdirAll(m.Source, 0o755); err != nil {
			return d, d.fault("make source", err)
		}
		fd, err = openTree(m.Source)
	}
	if err != nil {
		return d, d.fault("open source", err)
	}
	d.fd = fd
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return d, d.fault("examine source", err)
	}
	d.dir = st.Mode&unix.S_IFMT == unix.S_IFDIR
	return d, d.setAttributes()
}

func openTree(path string) (int, error) {
	return unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
}

func (d detachedMount) setAttributes() error {
	propagation := unix.MountAttr{Propagation: unix.MS_PRIVATE}
	switch d.Propagation {
	case HostToContainer:
		propagation.Propagation = unix.MS_SLAVE
	case Bidirectional:
		propagation.Propagation = unix.MS_SHARED
	}
	if err := unix.MountSetattr(d.fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &propagation); err != nil {
		return d.fault("set propagation", err)
	}
	if !d.Readonly {
		return nil
	}
	flags := uint(unix.AT_EMPTY_PATH)
	if d.Recursive {
		flags |= unix.AT_RECURSIVE
	}
	if err := unix.MountSetattr(d.fd, "", flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return d.fault("make read-only", err)
	}
	return nil
}

func (d detachedMount) attach() error {
	if err := mountPoint(d.Target, d.dir); err != nil {
		return d.fault("make mount point", err)
	}
	if err := unix.MoveMount(d.fd, "", unix.AT_FDCWD, d.Target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return d.fault("attach", err)
	}
	return unix.Close(d.fd)
}

func (d detachedMount) fault(what string, err error) error {
	return fmt.Errorf("mount %s on %s: %s: %w", d.Source, d.Target, what, err)
}
