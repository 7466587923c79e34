package preflight

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/findings"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// healthy is a machine without a fault.
func healthy() probes {
	fine := func(context.Context) error { return nil }
	return probes{
		goos: "linux", processors: 2,
		euid:       func() int { return 0 },
		golang:     func(context.Context) (string, error) { return "go1.26.8", nil },
		packages:   func(toolchain.Config) ([]toolchain.HostPackage, error) { return nil, nil },
		apt:        func() bool { return true },
		namespaces: fine, nft: fine, iptables: fine,
		overlay:     func(string) error { return nil },
		links:       func() error { return nil },
		memory:      func() (int64, error) { return 8 * gb, nil },
		disk:        func(string) (int64, error) { return 50 * gb, nil },
		openFiles:   func() (uint64, error) { return 1 << 20, nil },
		inotify:     func() (uint64, error) { return 128, nil },
		inotifyUsed: func() (uint64, error) { return 3, nil },
		cgroups:     func() string { return "v2" },
	}
}

func named(t *testing.T, list []Finding, what string) Finding {
	t.Helper()
	i := slices.IndexFunc(list, func(f Finding) bool { return f.What == what })
	require.GreaterOrEqual(t, i, 0, what)
	return list[i]
}

func TestAHealthyMachineIsFoundSo(t *testing.T) {
	list := check(t.Context(), Needs{Clusters: 2, ToolBytes: 9 * gb}, healthy())
	for _, f := range list {
		assert.Equal(t, OK, f.Severity, "%+v", f)
		assert.Empty(t, f.Mend, f.What)
		assert.NotEmpty(t, f.Found, f.What)
		assert.NotEmpty(t, f.Needed, f.What)
	}
	assert.NoError(t, findings.Failures(list))
}

// Sad paths: each fault is one finding that says how to mend it.

func TestEachFaultIsOneFinding(t *testing.T) {
	boom := errors.New("boom")
	nft := []toolchain.HostPackage{{Name: "nftables"}}
	for name, row := range map[string]struct {
		spoil func(p *probes)
		what  string
		want  findings.Severity
		found string
	}{
		"not Linux":              {func(p *probes) { p.goos = "darwin" }, "system", Fail, "darwin"},
		"not root":               {func(p *probes) { p.euid = func() int { return 1000 } }, "user", Fail, "uid 1000"},
		"old Go":                 {func(p *probes) { p.golang = func(context.Context) (string, error) { return "go1.25.9", nil } }, "go", Fail, "go1.25.9"},
		"no Go":                  {func(p *probes) { p.golang = func(context.Context) (string, error) { return "", boom } }, "go", Fail, "boom"},
		"no nft, can install":    {func(p *probes) { p.packages = lacks(nft) }, "host packages", Warn, "nftables"},
		"no nft, cannot install": {func(p *probes) { p.packages, p.apt = lacks(nft), func() bool { return false } }, "host packages", Fail, "nftables"},
		"no source tree": {func(p *probes) {
			p.packages = func(toolchain.Config) ([]toolchain.HostPackage, error) { return nil, boom }
		}, "host packages", Fail, "boom"},
		"no namespaces":      {func(p *probes) { p.namespaces = func(context.Context) error { return boom } }, "namespaces", Fail, "boom"},
		"no overlay":         {func(p *probes) { p.overlay = func(string) error { return boom } }, "overlayfs", Fail, "boom"},
		"no bridge":          {func(p *probes) { p.links = func() error { return boom } }, "bridge and veth", Fail, "boom"},
		"nft without kernel": {func(p *probes) { p.nft = func(context.Context) error { return boom } }, "nftables", Fail, "boom"},
		"nft not there yet":  {func(p *probes) { p.nft = func(context.Context) error { return errNotTried } }, "nftables", Warn, "not tried"},
		"no owner match":     {func(p *probes) { p.iptables = func(context.Context) error { return boom } }, "iptables-nft", Fail, "boom"},
		"one processor":      {func(p *probes) { p.processors = 1 }, "processors", Warn, "1"},
		"little memory":      {func(p *probes) { p.memory = func() (int64, error) { return 2 * gb, nil } }, "free memory", Fail, "2048 MB"},
		"memory not known":   {func(p *probes) { p.memory = func() (int64, error) { return 0, boom } }, "free memory", Warn, "boom"},
		"little disk":        {func(p *probes) { p.disk = func(string) (int64, error) { return 9 * gb, nil } }, "free disk", Fail, "9216 MB"},
		"few open files":     {func(p *probes) { p.openFiles = func() (uint64, error) { return 1024, nil } }, "open files", Warn, "1024"},
		"inotify used up":    {func(p *probes) { p.inotifyUsed = func() (uint64, error) { return 100, nil } }, "inotify instances", Warn, "128"},
		"few inotify":        {func(p *probes) { p.inotify = func() (uint64, error) { return 64, nil } }, "inotify instances", Warn, "64"},
	} {
		t.Run(name, func(t *testing.T) {
			p := healthy()
			row.spoil(&p)
			list := check(t.Context(), Needs{Clusters: 2, ToolBytes: 9 * gb}, p)
			f := named(t, list, row.what)
			assert.Equal(t, row.want, f.Severity)
			assert.Contains(t, f.Found, row.found)
			assert.NotEmpty(t, f.Mend)
			if row.want == Fail {
				require.ErrorContains(t, findings.Failures(list), row.what)
				assert.ErrorContains(t, findings.Failures(list), f.Mend)
			} else {
				assert.NoError(t, findings.Failures(list))
			}
		})
	}
}

func lacks(list []toolchain.HostPackage) func(toolchain.Config) ([]toolchain.HostPackage, error) {
	return func(toolchain.Config) ([]toolchain.HostPackage, error) { return list, nil }
}

func TestWithoutRootNothingIsTried(t *testing.T) {
	p := healthy()
	p.euid = func() int { return 1 }
	p.overlay = func(string) error { panic("tried") }
	f := named(t, check(t.Context(), Needs{}, p), "overlayfs")
	assert.Equal(t, Warn, f.Severity)
	assert.Contains(t, f.Found, "needs root")
}

func TestVersionsOfGo(t *testing.T) {
	for version, want := range map[string]bool{
		"go1.26.0": true, "go1.26": true, "go1.27rc1": true, "go2.0": true, "devel go1.28-abc": true,
		"go1.25.9": false, "": false, "gccgo": false, "go": false,
	} {
		assert.Equal(t, want, recentGo(version), version)
	}
}

func TestMemoryIsWhatTheContainerLeaves(t *testing.T) {
	for name, row := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no container":         {nil, 4000 << 10},
		"no limit":             {map[string]string{"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"}, 4000 << 10},
		"version 2":            {map[string]string{"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "700\n", "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 100\n"}, 400},
		"version 2, no stat":   {map[string]string{"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "700\n"}, 300},
		"version 1":            {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "900\n"}, 100},
		"version 1, unlimited": {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "900\n"}, 4000 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			files := map[string]string{"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    4000 kB\n"}
			for k, v := range row.files {
				files[k] = v
			}
			for path, content := range files {
				at := filepath.Join(root, path)
				require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
				require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
			}
			got, err := availableMemory(root)
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}
	_, err := availableMemory(t.TempDir())
	assert.Error(t, err)
}

func TestTheTableHasALineForEachFindingAndOneForEachRemedy(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, findings.Write(&b, []Finding{
		{What: "a", Severity: OK, Found: "x", Needed: "y"},
		{What: "b", Severity: Fail, Found: "several\nlines", Needed: "y", Mend: "do this"},
	}))
	assert.Equal(t, "CHECK  RESULT  FOUND          NEEDED\n"+
		"a      ok      x              y\n"+
		"b      fail    several lines  y\n"+
		"fail: b: do this\n", b.String())
}

func TestThisMachineIsLookedAtWithoutATrace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the tries need root")
	}
	before, err := filepath.Glob(filepath.Join(os.TempDir(), "meshfed-preflight-*"))
	require.NoError(t, err)
	for _, f := range Check(t.Context(), Needs{Clusters: 2}) {
		t.Logf("%-18s %-5s %s (%s)", f.What, f.Severity, f.Found, f.Needed)
	}
	after, err := filepath.Glob(filepath.Join(os.TempDir(), "meshfed-preflight-*"))
	require.NoError(t, err)
	assert.Equal(t, before, after)
	left, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(left), "meshfed-preflight")
}
