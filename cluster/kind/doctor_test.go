package kind

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/findings"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// roomy is a machine that lacks nothing.
func roomy() machine {
	return machine{
		cgroups: "v2", systemd: true, bounding: 1<<41 - 1, engine: "28.0", apt: true,
		memory: 64 << 30, disk: 100 << 30, inotify: 8192,
	}
}

func TestAMachineThatLacksNothingIsFine(t *testing.T) {
	for _, airgapped := range []bool{true, false} {
		assert.NoError(t, findings.Failures(roomy().check(airgapped, 3)), airgapped)
	}
}

func TestWhatIsMissingIsNamedWithItsMend(t *testing.T) {
	none := errors.New("no engine\nmore")
	for name, c := range map[string]struct {
		change    func(*machine)
		airgapped bool
		what      string
		severity  findings.Severity
	}{
		"no engine to pull with":                 {func(m *machine) { m.engineErr = none }, false, "docker engine", findings.Fail},
		"no engine, as a user":                   {func(m *machine) { m.engineErr, m.euid = none, 1000 }, true, "docker engine", findings.Fail},
		"no engine, as root":                     {func(m *machine) { m.engineErr = none }, true, "docker engine", findings.OK},
		"images as a user":                       {func(m *machine) { m.euid = 1000 }, true, "user", findings.Fail},
		"an engine without the capability":       {func(m *machine) { m.bounding &^= 1 << unix.CAP_SYS_RESOURCE }, true, "CAP_SYS_RESOURCE", findings.Warn},
		"our engine without the capability":      {func(m *machine) { m.bounding, m.engineErr = 0, none }, true, "CAP_SYS_RESOURCE", findings.OK},
		"own images to make, as a user":          {func(m *machine) { m.euid = 1000 }, false, "user", findings.Fail},
		"own images made, as a user":             {func(m *machine) { m.euid, m.made = 1000, true }, false, "user", findings.OK},
		"all images to make, as a user":          {func(m *machine) { m.euid, m.made = 1000, true }, true, "user", findings.Fail},
		"no control groups":                      {func(m *machine) { m.cgroups = "none" }, true, "cgroups", findings.Fail},
		"old control groups":                     {func(m *machine) { m.cgroups = "v1" }, true, "cgroups", findings.OK},
		"no systemd":                             {func(m *machine) { m.systemd = false }, true, "systemd as pid 1", findings.OK},
		"little memory":                          {func(m *machine) { m.memory = 1 << 30 }, true, "free memory", findings.Fail},
		"little disk":                            {func(m *machine) { m.disk = 1 << 30 }, true, "free disk", findings.Fail},
		"few instances":                          {func(m *machine) { m.inotify = 10 }, true, "inotify instances", findings.Warn},
		"a package that apt-get will bring":      {lacks("debootstrap"), true, "host packages", findings.Warn},
		"a package for our own images":           {lacks("curl"), false, "host packages", findings.Warn},
		"a package that a user will not install": {func(m *machine) { lacks("curl")(m); m.euid = 1000 }, false, "host packages", findings.Fail},
		"a tool that cannot be got": {func(m *machine) {
			m.tools = []toolchain.Item{{Name: "envoy", Obstacle: &toolchain.Obstacle{Err: errors.New("no binary"), Mend: "set ENVOY"}}}
		}, true, "tool envoy", findings.Fail},
		"a package that nobody will install": {func(m *machine) { lacks("debootstrap")(m); m.apt = false }, true, "host packages", findings.Fail},
	} {
		m := roomy()
		c.change(&m)
		asked := false
		for _, f := range m.check(c.airgapped, 2) {
			if f.What != c.what {
				continue
			}
			asked = true
			assert.Equal(t, c.severity, f.Severity, name)
			assert.Equal(t, f.Severity == findings.OK, f.Mend == "", name)
			assert.NotContains(t, f.Found, "\n", name)
		}
		assert.True(t, asked, name)
	}
}

func lacks(name string) func(*machine) {
	return func(m *machine) { m.missing = []toolchain.HostPackage{{Name: name}} }
}
