package node

import (
	"context"
	"time"

	"github.com/meshfed/meshfed/cluster/internal/proc"
)

const (
	// restartPause is between the end of a program and its next start.
	restartPause = 500 * time.Millisecond
	// steadyAfter is how long a program has to live to count as one that works.
	steadyAfter = 5 * time.Second
	// restartLimit is how long a program may be started in vain.
	restartLimit = time.Minute
)

// restarts decides whether a program that has ended is started again. The zero
// value is of one that never has.
type restarts struct{ failing time.Time }

// again says yes unless the program has been ending soon after each of its starts
// for too long.
func (r *restarts) again(lived time.Duration, now time.Time) bool {
	if lived >= steadyAfter || r.failing.IsZero() {
		r.failing = now
	}
	return now.Sub(r.failing) < restartLimit
}

// keep starts a program and, once the node is Ready, starts it again whenever it
// ends, as a kubelet does with the static pods of a control plane. Before that an
// end is a fault of the lab, and ends the node as with launch.
func (n *node) keep(life context.Context, name string, args ...string) (*proc.Process, error) {
	first, err := n.spawn(life, name, args...)
	if err != nil {
		return nil, err
	}
	n.group.Go(func() error {
		p := first
		for r := (restarts{}); ; {
			started := time.Now()
			select {
			case <-p.Done():
			case <-life.Done():
			}
			if life.Err() != nil {
				return nil
			}
			if !n.ready.Load() || !r.again(time.Since(started), time.Now()) {
				return p.Err()
			}
			select {
			case <-time.After(restartPause):
			case <-life.Done():
				return nil
			}
			if p, err = n.spawn(life, name, args...); err != nil {
				return err
			}
		}
	})
	return first, nil
}
