package preflight

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// inotify counts what other labs and programs have taken already: the limit is
// one of a user on the whole machine, and a sidecar that gets none more ends at
// its start.
func inotify(_ context.Context, n Needs, p probes) Finding {
	limit, err := p.inotify()
	if err != nil {
		return atLeast(Finding{What: "inotify instances"}, limit, 0, err)
	}
	used, err := p.inotifyUsed()
	need := used + uint64(n.Clusters)*inotifyPerCluster
	f := atLeast(Finding{
		What: "inotify instances", Mend: fmt.Sprintf("sysctl -w fs.inotify.max_user_instances=%d", max(512, 2*need)),
	}, limit, need, err)
	if used > 0 && err == nil {
		f.Needed += fmt.Sprintf(" (%d are in use)", used)
	}
	return f
}

// inotifyUsed looks at every process that it may look at. One that ends
// meanwhile counts for nothing.
func inotifyUsed() (uint64, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(processes) == 0 {
		return 0, fmt.Errorf("inotify instances in use: no processes in /proc: %w", err)
	}
	users := map[uint32]uint64{}
	var most uint64
	for _, process := range processes {
		var stat unix.Stat_t
		if unix.Stat(process, &stat) != nil {
			continue
		}
		users[stat.Uid] += instances(process)
		most = max(most, users[stat.Uid])
	}
	return min(most, math.MaxInt64), nil
}

// instances of a process: its open files that are one.
func instances(process string) uint64 {
	files, _ := os.ReadDir(filepath.Join(process, "fd"))
	var n uint64
	for _, f := range files {
		if target, err := os.Readlink(filepath.Join(process, "fd", f.Name())); err == nil && strings.Contains(target, "inotify") {
			n++
		}
	}
	return n
}
