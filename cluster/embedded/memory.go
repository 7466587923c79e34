package embedded

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is the proportional set size, in bytes, of all of the lab's
// processes: shared pages are counted once.
func (l *Lab) Memory() (int64, error) {
	children, err := processTree()
	if err != nil {
		return 0, fmt.Errorf("memory of lab %q: %w", l.name, err)
	}
	var total int64
	for pids := []int{l.record.PID}; len(pids) > 0; pids = pids[1:] {
		n, err := proportional(pids[0])
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ESRCH) {
			return 0, fmt.Errorf("memory of lab %q: %w", l.name, err)
		}
		total += n
		pids = append(pids, children[pids[0]]...)
	}
	return total, nil
}

func processTree() (map[int][]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			// It ended between the listing and the reading.
			continue
		}
		// The name in parentheses may hold anything; the fields follow it.
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children, nil
}

func proportional(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if rest, ok := strings.CutPrefix(sc.Text(), "Pss:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, sc.Err()
}
