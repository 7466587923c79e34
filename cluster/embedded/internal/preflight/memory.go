package preflight

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// availableMemory is what new processes may take: what the kernel calls
// available, or what the container's limit leaves if that is less. root is "/"
// but for tests.
func availableMemory(root string) (int64, error) {
	info, err := readFields(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return 0, err
	}
	kb, ok := info["MemAvailable:"]
	if !ok {
		return 0, errors.New("/proc/meminfo: no MemAvailable")
	}
	free := kb << 10
	for _, c := range []cgroupFiles{
		{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
		{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"},
	} {
		if left, ok := c.left(root); ok {
			free = min(free, left)
		}
	}
	return free, nil
}

// cgroupFiles are where one version of cgroups says what a container may use.
type cgroupFiles struct {
	dir, limit, usage, cache string
}

// left is limit − usage; file cache that nobody has touched lately is given
// back when it is asked for, so it counts as free.
func (c cgroupFiles) left(root string) (int64, bool) {
	dir := filepath.Join(root, c.dir)
	limit, err := readNumber(filepath.Join(dir, c.limit))
	if err != nil { // "max", or no such cgroup
		return 0, false
	}
	usage, err := readNumber(filepath.Join(dir, c.usage))
	if err != nil {
		return 0, false
	}
	stat, err := readFields(filepath.Join(dir, "memory.stat"))
	if err != nil {
		return limit - usage, true
	}
	return limit - usage + stat[c.cache], true
}

func readNumber(path string) (int64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
}

// readFields reads lines of a name and a number.
func readFields(path string) (map[string]int64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("free memory: %w", err)
	}
	fields := map[string]int64{}
	for _, line := range strings.Split(string(raw), "\n") {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
			fields[words[0]] = n
		}
	}
	return fields, nil
}
