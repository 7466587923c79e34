package container

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// makeRoot replaces the node's file systems by the container's. Everything of
// the node that is wanted is taken along as detached mounts, by file descriptor,
// before the node's root is let go; every path after that is looked up inside
// the container, so no link in an image can lead a mount elsewhere.
func makeRoot(r Root) error {
	if err := isolate(r.Mounts); err != nil {
		return err
	}
	if err := mountOverlay(r); err != nil {
		return err
	}
	sources, err := detach(r)
	if err != nil {
		return err
	}
	if err := pivot(r.Target); err != nil {
		return err
	}
	if err := mountKernelFS(r, sources.sharedMemory); err != nil {
		return err
	}
	for _, m := range sources.mounts {
		if err := m.attach(); err != nil {
			return err
		}
	}
	if err := maskPaths(r); err != nil {
		return err
	}
	if err := os.MkdirAll(orRoot(r.WorkingDir), 0o755); err != nil {
		return fmt.Errorf("make working directory: %w", err)
	}
	if r.Readonly {
		return readonly("/", false)
	}
	return nil
}

// isolate cuts the propagation of mounts to the node. Only for a pod that asks
// to share mounts back, the mounts below the root keep it, and detach checks them.
func isolate(mounts []Mount) error {
	flags := uintptr(unix.MS_SLAVE | unix.MS_REC)
	if slices.ContainsFunc(mounts, func(m Mount) bool { return m.Propagation == Bidirectional }) {
		flags = unix.MS_PRIVATE
	}
	if err := unix.Mount("", "/", "", flags, ""); err != nil {
		return fmt.Errorf("separate mounts from the node: %w", err)
	}
	return nil
}

func mountOverlay(r Root) error {
	escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`).Replace
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", escape(r.Image), escape(r.Upper), escape(r.Work))
	if err := unix.Mount("overlay", r.Target, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount root file system (%s): %w", options, err)
	}
	return nil
}

type sources struct {
	sharedMemory int
	mounts       []detachedMount
}

func detach(r Root) (sources, error) {
	var s sources
	shm, err := detachMount(Mount{Source: r.SharedMemory, Target: "/dev/shm"})
	if err != nil {
		return s, err
	}
	s.sharedMemory = shm.fd
	for _, m := range r.Mounts {
		d, err := detachMount(m)
		if err != nil {
			return s, err
		}
		s.mounts = append(s.mounts, d)
	}
	return s, nil
}

// pivot makes target the root and leaves nothing of the old one. Stacking the
// old root over the new one saves a directory to put it in.
func pivot(target string) error {
	oldRoot, err := unix.Open("/", unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the node's root: %w", err)
	}
	defer unix.Close(oldRoot)
	if err := unix.Chdir(target); err != nil {
		return fmt.Errorf("enter root file system: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change root file system: %w", err)
	}
	if err := unix.Fchdir(oldRoot); err != nil {
		return fmt.Errorf("return to the node's root: %w", err)
	}
	// A shared mount would be unmounted on the node, too.
	if err := unix.Mount("", ".", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("separate the node's root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the node's root: %w", err)
	}
	return unix.Chdir("/")
}

// maskPaths hides and protects the parts of /proc and /sys that belong to the
// whole machine.
func maskPaths(r Root) error {
	for _, p := range r.MaskedPaths {
		info, err := os.Stat(p)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("mask %s: %w", p, err)
		}
		if info.IsDir() {
			err = unix.Mount("tmpfs", p, "tmpfs", unix.MS_RDONLY, "size=0k")
		} else {
			err = unix.Mount("/dev/null", p, "", unix.MS_BIND, "")
		}
		if err != nil {
			return fmt.Errorf("mask %s: %w", p, err)
		}
	}
	for _, p := range r.ReadonlyPaths {
		if _, err := os.Stat(p); os.IsNotExist(err) {
			continue
		}
		if err := unix.Mount(p, p, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("protect %s: %w", p, err)
		}
		if err := readonly(p, false); err != nil {
			return err
		}
	}
	return nil
}

func readonly(path string, recursive bool) error {
	flags := uint(0)
	if recursive {
		flags = unix.AT_RECURSIVE
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, path, flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	return nil
}

// mountPoint makes a place for a mount; links in it are followed inside the
// container, where nothing else can be seen by now.
func mountPoint(path string, dir bool) error {
	if dir {
		return os.MkdirAll(path, 0o755)
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
