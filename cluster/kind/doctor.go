package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/findings"
	"github.com/meshfed/meshfed/cluster/internal/images"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
	"github.com/meshfed/meshfed/cluster/kind/internal/engine"
	"github.com/meshfed/meshfed/cluster/kind/internal/nodeimage"
)

const (
	// memoryPerCluster is what a cluster with a mesh and Bookinfo takes
	// (measured, rounded up).
	memoryPerCluster = 1800 << 20
	// diskPerCluster is what a node writes, diskForImages what the images take
	// once they are made and loaded (measured, rounded up).
	diskPerCluster = 2500 << 20
	diskForImages  = 5500 << 20
	// inotifyPerCluster are the instances that a node's programs and pods have.
	inotifyPerCluster = 45
)

// machine is what the checks ask of this machine; tests put fakes in its place.
type machine struct {
	euid     int
	systemd  bool
	cgroups  string // "v1", "v2" or "none"
	bounding uint64
	missing  []toolchain.HostPackage
	apt      bool
	// made says that the images are there that can be pulled from nowhere.
	made bool
	// tools are those that are got for an air-gapped lab.
	tools []toolchain.Item
	// engine is the running engine's version, or why there is none.
	engine    string
	engineErr error
	memory    int64
	disk      int64
	inotify   uint64
}

// Doctor writes what this machine has and lacks for a lab of so many clusters,
// and how to get it. It changes nothing. The error says what would stop a lab.
func (p *Provider) Doctor(ctx context.Context, w io.Writer, clusters int) error {
	m, err := p.look(ctx)
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	found := m.check(p.options.Airgapped, clusters)
	if err := findings.Write(w, found); err != nil {
		return err
	}
	if p.options.Airgapped {
		m.writeTools(w)
	}
	return findings.Failures(found)
}

func (m machine) writeTools(w io.Writer) {
	fmt.Fprintln(w)
	for _, i := range m.tools {
		if i.Present {
			fmt.Fprintf(w, "tool  %-12s present, %d MB\n", i.Name, i.Size/1e6)
		} else {
			fmt.Fprintf(w, "tool  %-12s missing: %s\n", i.Name, i.HowToGet)
		}
	}
}

// check says what it means, in the order in which a person would mend it.
func (m machine) check(airgapped bool, clusters int) []findings.Finding {
	return append([]findings.Finding{
		m.checkEngine(airgapped), m.checkUser(airgapped), m.checkPackages(), m.checkCapabilities(),
		m.checkCgroups(), m.checkSystemd(),
		atLeast("free memory", m.memory, int64(clusters)*memoryPerCluster),
		atLeast("free disk", m.disk, diskForImages+int64(clusters)*diskPerCluster),
		m.checkInotify(clusters),
	}, toolchain.Obstacles(m.tools)...)
}

func (m machine) checkEngine(airgapped bool) findings.Finding {
	f := findings.Finding{What: "docker engine", Severity: findings.OK, Found: m.engine, Needed: "one that answers, or --airgapped as root"}
	switch {
	case m.engineErr == nil:
	case airgapped && m.euid == 0:
		f.Found = "none; one is brought up for the lab, in namespaces of its own, and stopped after it"
	default:
		f.Severity, f.Found = findings.Fail, "none: "+lastLine(m.engineErr)
		f.Mend = "start the Docker engine (or set DOCKER_HOST); as root, --airgapped brings one of its own up"
	}
	return f
}

func (m machine) checkUser(airgapped bool) findings.Finding {
	f := findings.Finding{What: "user", Severity: findings.OK, Found: fmt.Sprintf("uid %d", m.euid), Needed: "root to make images; without --airgapped any once the project's own are made"}
	if m.euid != 0 && (airgapped || !m.made) {
		f.Severity, f.Mend = findings.Fail, "run it as root (sudo -E): images have files of other users"
	}
	return f
}

func (m machine) checkPackages() findings.Finding {
	f := findings.Finding{What: "host packages", Severity: findings.OK, Found: "all there", Needed: "docker's client, iptables, nftables, iproute2, curl; with --airgapped also debootstrap, and docker.io if no engine runs"}
	var names []string
	for _, p := range m.missing {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return f
	}
	list := strings.Join(names, " ")
	f.Found = "no " + strings.Join(names, ", ")
	if m.apt && m.euid == 0 {
		f.Severity, f.Mend = findings.Warn, "apt-get will install "+list+" at the first start"
		return f
	}
	f.Severity, f.Mend = findings.Fail, "install "+list+" (named as in Debian)"
	return f
}

// checkCapabilities knows the one that nodes ask for and machines lack.
func (m machine) checkCapabilities() findings.Finding {
	f := findings.Finding{What: "CAP_SYS_RESOURCE", Severity: findings.OK, Found: "there", Needed: "for privileged containers of an engine that runs already"}
	if m.bounding&(1<<unix.CAP_SYS_RESOURCE) != 0 {
		return f
	}
	f.Found = "not to be had on this machine"
	if m.engineErr != nil {
		f.Found += "; the engine of our own does without (runc-fit)"
		return f
	}
	f.Severity = findings.Warn
	f.Mend = "if nodes fail with \"unable to apply caps\": stop your engine, so that one of our own does without (--airgapped), or give the machine the capability"
	return f
}

func (m machine) checkCgroups() findings.Finding {
	f := findings.Finding{What: "cgroups", Severity: findings.OK, Found: m.cgroups, Needed: "v2, or v1 with a hierarchy named systemd"}
	switch m.cgroups {
	case "v1":
		f.Found = "v1: kubelet is told to accept it (failCgroupV1: false)"
	case "none":
		f.Severity, f.Mend = findings.Fail, "mount them (/sys/fs/cgroup): a node's systemd has no other way to run anything"
	}
	return f
}

func (m machine) checkSystemd() findings.Finding {
	f := findings.Finding{What: "systemd as pid 1", Severity: findings.OK, Found: "yes", Needed: "no: nodes bring their own"}
	if !m.systemd {
		f.Found = "no"
	}
	return f
}

func (m machine) checkInotify(clusters int) findings.Finding {
	need := uint64(clusters) * inotifyPerCluster
	f := findings.Finding{What: "inotify instances", Severity: findings.OK, Found: fmt.Sprint(m.inotify), Needed: fmt.Sprintf("%d or more", need)}
	if m.inotify < need {
		f.Severity, f.Mend = findings.Warn, "sysctl fs.inotify.max_user_instances=512: nodes share the machine's"
	}
	return f
}

func atLeast(what string, found, need int64) findings.Finding {
	f := findings.Finding{What: what, Severity: findings.OK, Found: fmt.Sprintf("%d MB", found>>20), Needed: fmt.Sprintf("%d MB", need>>20)}
	if found < need {
		f.Severity, f.Mend = findings.Fail, "free some, or make fewer clusters"
	}
	return f
}

// lastLine is what a failed program said at its end.
func lastLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return strings.TrimLeft(lines[len(lines)-1], " |")
}

// look asks this machine.
func (p *Provider) look(ctx context.Context) (m machine, err error) {
	m.euid = os.Geteuid()
	_, systemd := os.Stat("/run/systemd/system")
	m.systemd = systemd == nil
	m.cgroups = cgroups()
	if m.bounding, err = boundingSet(); err != nil {
		return m, err
	}
	user := p.users()
	m.engine, m.engineErr = user.run(ctx, "version", "--format", "{{.Server.Version}}")
	if err := p.lookForParts(ctx, &m); err != nil {
		return m, err
	}
	_, apt := exec.LookPath("apt-get")
	m.apt = apt == nil
	if m.disk, err = toolchain.FreeBytes(p.cacheDir); err != nil {
		return m, err
	}
	if m.memory, err = freeMemory(); err != nil {
		return m, err
	}
	m.inotify, err = number("/proc/sys/fs/inotify/max_user_instances")
	return m, err
}

// lookForParts asks what the lab's parts are made of and which there are.
func (p *Provider) lookForParts(ctx context.Context, m *machine) (err error) {
	if m.missing, err = toolchain.MissingHostPackages(p.toolchain()); err != nil {
		return err
	}
	if !p.options.Airgapped {
		tools, there, err := toolchain.Present(ctx, p.toolchain(), ownTools()...)
		m.made = there && images.HasOwn(tools, p.cacheDir)
		return err
	}
	wanted := nodeimage.Packages()
	if m.engineErr != nil {
		wanted = append(wanted, engine.Packages()...)
	}
	for _, more := range toolchain.MissingPackages(wanted) {
		if !slices.ContainsFunc(m.missing, func(h toolchain.HostPackage) bool { return h.Name == more.Name }) {
			m.missing = append(m.missing, more)
		}
	}
	lab, err := toolchain.Status(ctx, p.toolchain())
	if err != nil {
		return err
	}
	node, err := toolchain.NodeStatus(ctx, p.toolchain())
	m.tools = append(lab, node...)
	return err
}

func cgroups() string {
	var fs unix.Statfs_t
	switch err := unix.Statfs("/sys/fs/cgroup", &fs); {
	case err != nil:
		return "none"
	case fs.Type == unix.CGROUP2_SUPER_MAGIC:
		return "v2"
	case fs.Type == unix.TMPFS_MAGIC:
		return "v1"
	}
	return "none"
}

// boundingSet are the capabilities that any process here can have.
func boundingSet() (uint64, error) {
	var set uint64
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("capabilities: %w", err)
		}
		set |= uint64(has) << c
	}
	return set, nil
}

func freeMemory() (int64, error) {
	raw, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, is := strings.CutPrefix(line, "MemAvailable:"); is {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("/proc/meminfo: no MemAvailable")
}

func number(file string) (uint64, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	return min(n, math.MaxInt64), err
}
