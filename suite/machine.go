package suite

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/meshfed/meshfed/reports"
)

// machine is what the report says about where the harness ran. What the
// machine does not tell is left out.
func machine() reports.Environment {
	e := reports.Environment{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		e.Kernel = strings.TrimSpace(string(release))
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		e.MemoryBytes = memTotal(string(info))
	}
	return e
}

// memTotal reads the line "MemTotal:  24588716 kB".
func memTotal(meminfo string) uint64 {
	for line := range strings.Lines(meminfo) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			kilobytes, err := strconv.ParseUint(fields[1], 10, 64)
			if err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
