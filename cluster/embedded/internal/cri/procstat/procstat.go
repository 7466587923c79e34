// Package procstat finds a container's processes in /proc and sums up what they
// use.
//
// There are no cgroups to ask. Instead, each container has a mount namespace
// that nothing else is in, and every process shows its own. The package must
// not know containers beyond that.
package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of CPU time in /proc/PID/stat; Linux shows it as 1/100 s on
// every architecture.
const tick = 10 * time.Millisecond

// Usage is what a group of processes uses.
type Usage struct {
	// CPU is the time that the living processes and their reaped children
	// have used. It falls when a process ends that nobody has reaped.
	CPU time.Duration
	// Memory is the sum of the resident sets, in bytes; pages that
	// processes share count for each of them.
	Memory    uint64
	Processes uint64
}

// MountNamespace identifies the mount namespace of a process.
func MountNamespace(pid int) (string, error) {
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return "", fmt.Errorf("mount namespace of process %d: %w", pid, err)
	}
	return ns, nil
}

// ByMountNamespace looks at every process once. A process that ends meanwhile
// is left out.
func ByMountNamespace() (map[string]Usage, error) {
	pids, err := allPIDs()
	if err != nil {
		return nil, err
	}
	sums := map[string]Usage{}
	for _, pid := range pids {
		ns, err := MountNamespace(pid)
		if err != nil {
			continue
		}
		u, err := usageOf(pid)
		if err != nil {
			continue
		}
		sum := sums[ns]
		sum.CPU += u.CPU
		sum.Memory += u.Memory
		sum.Processes++
		sums[ns] = sum
	}
	return sums, nil
}

// KillMountNamespace kills every process in a mount namespace, again and again
// until there is none: one of them might be forking. The empty name and the
// caller's own namespace are nobody's.
func KillMountNamespace(ns string) {
	if own, err := MountNamespace(os.Getpid()); err != nil || ns == "" || ns == own {
		return
	}
	for found := true; found; {
		found = false
		pids, err := allPIDs()
		if err != nil {
			return
		}
		for _, pid := range pids {
			if got, err := MountNamespace(pid); err == nil && got == ns {
				found = unix.Kill(pid, unix.SIGKILL) == nil || found
			}
		}
	}
}

func allPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func usageOf(pid int) (Usage, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	return parseStat(raw)
}

// Fields of /proc/PID/stat, counted from the one behind the command's name
// (proc_pid_stat(5) numbers them 14 to 17 and 24).
const (
	fieldUserTime = 11
	fieldRSS      = 21
)

func parseStat(raw []byte) (Usage, error) {
	// The command stands in parentheses and may hold any character.
	end := bytes.LastIndexByte(raw, ')')
	fields := bytes.Fields(raw[end+1:])
	if end < 0 || len(fields) <= fieldRSS {
		return Usage{}, errors.New("not a line of /proc/PID/stat")
	}
	var u Usage
	for _, f := range fields[fieldUserTime : fieldUserTime+4] {
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("CPU time: %w", err)
		}
		u.CPU += time.Duration(ticks) * tick
	}
	pages, err := strconv.ParseUint(string(fields[fieldRSS]), 10, 64)
	if err != nil {
		return Usage{}, fmt.Errorf("resident set: %w", err)
	}
	u.Memory = pages * uint64(os.Getpagesize())
	return u, nil
}
