package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster"
)

var _ cluster.Faulter = (*member)(nil)

// program is which of a cluster's programs a part is, by the name of its log.
func program(p cluster.Part) (string, error) {
	name, known := map[cluster.Part]string{cluster.APIServer: "kube-apiserver", cluster.Etcd: "etcd", cluster.Everything: "node"}[p]
	if !known {
		return "", fmt.Errorf("a part %q: want %q, %q or %q", p, cluster.APIServer, cluster.Etcd, cluster.Everything)
	}
	return name, nil
}

// Pause implements cluster.Faulter, by the signals that no process can ignore.
func (n *member) Pause(_ context.Context, p cluster.Part) (func() error, error) {
	fail := func(err error) (func() error, error) {
		return nil, fmt.Errorf("cluster %s: pause %s: %w", n.name, p, err)
	}
	root, err := n.process(p)
	if err != nil {
		return fail(err)
	}
	stopped, err := stop(root, p == cluster.Everything)
	resume := func() error {
		var errs []error
		// Children first: a parent that goes on must not take them for dead.
		for i := len(stopped) - 1; i >= 0; i-- {
			if err := unix.Kill(stopped[i], unix.SIGCONT); err != nil && !errors.Is(err, unix.ESRCH) {
				errs = append(errs, fmt.Errorf("cluster %s: resume %s: process %d: %w", n.name, p, stopped[i], err))
			}
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return fail(errors.Join(err, resume()))
	}
	return resume, nil
}

// process is the one that a part is, or that runs all of it.
func (n *member) process(p cluster.Part) (int, error) {
	name, err := program(p)
	if err != nil {
		return 0, err
	}
	return n.lab.writer(filepath.Join(n.lab.LogDir(n.name), name+".log"))
}

// writer is the lab's process that writes to a log file: all of a node's
// programs, and the node itself, have one of their own.
func (l *Lab) writer(log string) (int, error) {
	want, err := os.Stat(log)
	if err != nil {
		return 0, err
	}
	children, err := processTree()
	if err != nil {
		return 0, err
	}
	for pids := []int{l.record.PID}; len(pids) > 0; pids = pids[1:] {
		// One that has ended since the listing has no output any more.
		if got, err := os.Stat(fmt.Sprintf("/proc/%d/fd/1", pids[0])); err == nil && os.SameFile(got, want) {
			return pids[0], nil
		}
		pids = append(pids, children[pids[0]]...)
	}
	return 0, fmt.Errorf("no process of the lab writes to %s", log)
}

// stop stops a process, and all below it if that is wanted, parents first: one
// that is stopped starts no other.
func stop(root int, below bool) (stopped []int, err error) {
	if err := unix.Kill(root, unix.SIGSTOP); err != nil {
		return nil, err
	}
	stopped = []int{root}
	if !below {
		return stopped, nil
	}
	done := map[int]bool{root: true}
	for more := true; more; {
		more = false
		children, err := processTree()
		if err != nil {
			return stopped, err
		}
		for i := 0; i < len(stopped); i++ {
			for _, pid := range children[stopped[i]] {
				if done[pid] {
					continue
				}
				done[pid], more = true, true
				switch err := unix.Kill(pid, unix.SIGSTOP); {
				case errors.Is(err, unix.ESRCH):
				case err != nil:
					return stopped, err
				default:
					stopped = append(stopped, pid)
				}
			}
		}
	}
	return stopped, nil
}
