package nodeimage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/archive"
	"github.com/meshfed/meshfed/cluster/internal/cachedir"
	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/progress"
)

const (
	debianEstimate = 75 * time.Second
	nodeEstimate   = 25 * time.Second
)

// suite is the release of Debian that a node is.
const suite = "bookworm"

// debianLayer is the file of the layer in its entry.
const debianLayer = "layer.tar"

// packages are those of kind's own base image without what storage drivers and
// Kubernetes' storage tests want, and with Debian's runc.
func packages() []string {
	return []string{
		"systemd", "systemd-sysv", "dbus", "iptables", "nftables", "conntrack", "ethtool", "socat", "kmod", "procps",
		"iproute2", "jq", "mount", "util-linux", "hostname", "ca-certificates", "curl", "libseccomp2", "pigz", "runc",
	}
}

// unwanted are the units that make no sense in a container, and what nobody
// reads there.
func unwanted() []string {
	return []string{
		"lib/systemd/system/multi-user.target.wants/*", "etc/systemd/system/*.wants/*",
		"lib/systemd/system/local-fs.target.wants/*", "lib/systemd/system/sockets.target.wants/*udev*",
		"lib/systemd/system/sockets.target.wants/*initctl*", "lib/systemd/system/basic.target.wants/*",
		"lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
		"usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/info/*",
		"var/cache/apt/*", "var/lib/apt/lists/*", "var/log/*.log", "var/cache/debconf/*-old", "dev/*",
		"etc/machine-id", "etc/resolv.conf", "etc/hostname",
	}
}

// debian is the folder of the layer of Debian's packages.
func (in Inputs) debian(ctx context.Context) (string, error) {
	key := keyOf(append([]string{layout, suite}, append(packages(), unwanted()...)...)...)
	e := cachedir.Entry{Root: in.root(), Name: "debian", Key: key}
	return cachedir.Make(ctx, e, nil, func(ctx context.Context, dir string) (err error) {
		task := in.Progress.Begin(progress.Step{Title: "installing Debian " + suite + " for the kind node", Estimate: debianEstimate})
		defer func() { task.End(err) }()
		root := filepath.Join(dir, "root")
		if err := bootstrap(ctx, root, task); err != nil {
			return err
		}
		if err := tidy(root); err != nil {
			return err
		}
		if _, err := archive.FromFolder(ctx, root, filepath.Join(dir, debianLayer)); err != nil {
			return err
		}
		return os.RemoveAll(root)
	})
}

// bootstrap runs debootstrap in mounts of its own, so that one that is killed
// leaves none.
func bootstrap(ctx context.Context, root string, task progress.Task) error {
	argv := []string{"debootstrap", "--variant=minbase", "--include=" + strings.Join(packages(), ","), suite, root}
	if mirror := aptMirror(ctx); mirror != "" {
		argv = append(argv, mirror)
	}
	steps := 0
	_, err := command.Run(ctx, command.Command{
		Argv: argv, Env: append(os.Environ(), "DEBIAN_FRONTEND=noninteractive"), Cloneflags: unix.CLONE_NEWNS,
		Line: func(string) { steps++; task.Advance(steps, 0) },
	})
	if err != nil {
		return fmt.Errorf("install Debian %s: %w", suite, errors.Join(err, lastLines(filepath.Join(root, "debootstrap/debootstrap.log"))))
	}
	return nil
}

// aptMirror is where this machine's own apt gets the suite from; empty leaves
// it to debootstrap.
func aptMirror(ctx context.Context) string {
	out, err := command.Run(ctx, command.Command{
		Argv: []string{"apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(SITE)", "Created-By: Packages"},
	})
	if err != nil {
		return ""
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == suite && f[1] == "main" {
			return f[2]
		}
	}
	return ""
}

// lastLines is the end of debootstrap's own log, which says more than its
// output.
func lastLines(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return errors.New(strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// tidy does what the image description of kind does after its packages.
func tidy(root string) error {
	for _, pattern := range unwanted() {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, at := range found {
			if err := os.RemoveAll(at); err != nil {
				return err
			}
		}
	}
	journald, err := os.OpenFile(filepath.Join(root, "etc/systemd/journald.conf"), os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	// What the machine's kernel says would be taken for the node's words.
	_, err = journald.WriteString("ReadKMsg=no\n")
	if err = errors.Join(err, journald.Close()); err != nil {
		return err
	}
	if err := os.Symlink("/dev/null", filepath.Join(root, "etc/systemd/system/systemd-binfmt.service")); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, dir := range []string{"lib/modules", "etc/kubernetes/manifests"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	return nil
}
