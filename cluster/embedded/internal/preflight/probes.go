package preflight

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// probes are what the checks ask the machine; tests put fakes in their place.
type probes struct {
	goos       string
	processors int
	euid       func() int
	golang     func(context.Context) (version string, err error)
	packages   func(toolchain.Config) ([]toolchain.HostPackage, error)
	apt        func() bool
	namespaces func(context.Context) error
	overlay    func(over string) error
	links      func() error
	nft        func(context.Context) error
	iptables   func(context.Context) error
	memory     func() (bytes int64, err error)
	disk       func(path string) (bytes int64, err error)
	openFiles  func() (uint64, error)
	inotify    func() (uint64, error)
	// inotifyUsed is how many instances the user has that has most.
	inotifyUsed func() (uint64, error)
	cgroups     func() string
}

func realProbes() probes {
	return probes{
		goos:        runtime.GOOS,
		processors:  runtime.GOMAXPROCS(0),
		euid:        os.Geteuid,
		golang:      goVersion,
		packages:    toolchain.MissingHostPackages,
		apt:         func() bool { _, err := exec.LookPath("apt-get"); return err == nil },
		namespaces:  tryNamespaces,
		overlay:     tryOverlay,
		links:       tryLinks,
		nft:         tryNft,
		iptables:    tryIptables,
		memory:      func() (int64, error) { return availableMemory("/") },
		disk:        freeDisk,
		openFiles:   openFilesLimit,
		inotify:     inotifyLimit,
		inotifyUsed: inotifyUsed,
		cgroups:     cgroupVersion,
	}
}

func goVersion(ctx context.Context) (string, error) {
	out, err := command.Run(ctx, command.Command{Argv: []string{"go", "env", "GOVERSION"}})
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("no go command in PATH")
	}
	return strings.TrimSpace(out), err
}

func freeDisk(path string) (int64, error) {
	path, err := cacheDir(path)
	if err != nil {
		return 0, err
	}
	return toolchain.FreeBytes(path)
}

func cacheDir(path string) (string, error) {
	if path == "" {
		return toolchain.DefaultCacheDir()
	}
	return path, nil
}

func openFilesLimit() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	return limit.Max, nil
}

func inotifyLimit() (uint64, error) {
	raw, err := os.ReadFile("/proc/sys/fs/inotify/max_user_instances")
	if err != nil {
		return 0, fmt.Errorf("limit of inotify instances: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("limit of inotify instances: %w", err)
	}
	return min(n, math.MaxInt64), nil
}

func cgroupVersion() string {
	var fs unix.Statfs_t
	switch err := unix.Statfs("/sys/fs/cgroup", &fs); {
	case err != nil:
		return "none"
	case fs.Type == unix.CGROUP2_SUPER_MAGIC:
		return "v2"
	default:
		return "v1"
	}
}
