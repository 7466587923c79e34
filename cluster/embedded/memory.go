package embedded

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
