package preflight

import (
	"context"
	"fmt"
	"math"
)

func processors(_ context.Context, _ Needs, p probes) Finding {
	f := Finding{What: "processors", Severity: OK, Found: fmt.Sprint(p.processors), Needed: "2 or more"}
	if p.processors < 2 {
		f.Severity, f.Mend = Warn, "expect time-outs with one: give the machine or the container a second one"
	}
	return f
}

func memory(_ context.Context, n Needs, p probes) Finding {
	need := int64(n.Clusters) * memoryPerCluster
	mend := fmt.Sprintf("free some, or start fewer clusters (%d MB each)", memoryPerCluster/mb)
	free, err := p.memory()
	return enough(Finding{What: "free memory", Mend: mend}, free, need, err)
}

func disk(_ context.Context, n Needs, p probes) Finding {
	need := n.ToolBytes + logsAndData
	free, err := p.disk(n.CacheDir)
	return enough(Finding{What: "free disk", Mend: "make room, or set XDG_CACHE_HOME and GOCACHE to another disk"}, free, need, err)
}

// enough fails a finding of bytes that are too few.
func enough(f Finding, found, need int64, err error) Finding {
	f.Needed = fmt.Sprintf("%d MB", need/mb)
	f.Found = fmt.Sprintf("%d MB", found/mb)
	switch {
	case err != nil:
		f.Severity, f.Found = Warn, err.Error()
	case found < need:
		f.Severity = Fail
	default:
		f.Severity, f.Mend = OK, ""
	}
	return f
}

func openFiles(_ context.Context, _ Needs, p probes) Finding {
	limit, err := p.openFiles()
	return atLeast(Finding{What: "open files", Mend: "raise the hard limit (ulimit -Hn)"}, limit, openFilesPerRun, err)
}

// atLeast warns of a limit that may be too low: what is needed depends on what
// the lab will run.
func atLeast(f Finding, found, need uint64, err error) Finding {
	f.Needed, f.Found = fmt.Sprintf("%d or more", need), fmt.Sprint(found)
	if found == math.MaxUint64 {
		f.Found = "no limit"
	}
	switch {
	case err != nil:
		f.Severity, f.Found = Warn, err.Error()
	case found < need:
		f.Severity = Warn
	default:
		f.Severity, f.Mend = OK, ""
	}
	return f
}

// cgroups are only told: kubelet runs without them here, on both versions.
func cgroups(_ context.Context, _ Needs, p probes) Finding {
	return Finding{What: "cgroups", Severity: OK, Found: p.cgroups(), Needed: "any, or none"}
}
