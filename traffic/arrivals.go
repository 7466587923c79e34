package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/traffic/wire"
)

// ErrUnknown is wrapped when it cannot be known what arrived. It must never be
// taken for "nothing": a claim that rests on it is neither true nor false.
var ErrUnknown = errors.New("arrivals unknown")

// errForgotten is the part of ErrUnknown that is known of a pod which answered.
var errForgotten = errors.New("has forgotten")

// Witness asks workloads what reached them.
type Witness struct {
	Pods Pods
	// Program is the path of the fixture's program in the pods.
	Program string
}

// Query says which arrivals are meant.
type Query struct {
	// Nonce is required.
	Nonce string
	// Since is when the first of them can have arrived, by the clock of the
	// cluster. If it is zero, a pod that was replaced since goes unnoticed.
	Since time.Time
}

// Seen is what the pods of some workloads saw.
type Seen struct {
	// Pods has an entry for each pod, also for one that saw nothing.
	Pods []wire.Arrivals
}

// Total is how many requests arrived.
func (s Seen) Total() int {
	n := 0
	for _, p := range s.Pods {
		n += len(p.Arrivals)
	}
	return n
}

// ByPod is how many arrived at each pod; zeros included.
func (s Seen) ByPod() map[string]int {
	count := map[string]int{}
	for _, p := range s.Pods {
		count[p.Pod] += len(p.Arrivals)
	}
	return count
}

// Arrivals asks every pod of every workload. A workload without pods, a pod
// that does not answer, and one that may have forgotten are errors that wrap
// ErrUnknown.
func (w Witness) Arrivals(ctx context.Context, q Query, refs ...workload.Ref) (Seen, error) {
	if q.Nonce == "" || len(refs) == 0 {
		return Seen{}, fmt.Errorf("%w: want a nonce and at least one workload", ErrUnknown)
	}
	command := []string{w.Program, "arrivals", "--nonce", q.Nonce}
	if !q.Since.IsZero() {
		command = append(command, "--since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	var seen Seen
	for _, ref := range refs {
		answers, err := w.ask(ctx, ref, command)
		if err != nil {
			return Seen{}, fmt.Errorf("%w: %s: %w", ErrUnknown, ref, err)
		}
		seen.Pods = append(seen.Pods, answers...)
	}
	return seen, nil
}

// Lately is about requests that were sent no longer ago than that. Pods that
// were asked often have forgotten what was long before; then only those that
// came since are asked for, by the clock of the cluster. One that is further
// behind does not count a control either. If it is the way to a pod that broke,
// that is not asked: of a new pod, its age would be told and not what broke.
func (w Witness) Lately(ctx context.Context, nonce string, ago time.Duration, refs ...workload.Ref) (Seen, error) {
	seen, err := w.Arrivals(ctx, Query{Nonce: nonce}, refs...)
	if errors.Is(err, errForgotten) && ctx.Err() == nil {
		return w.Arrivals(ctx, Query{Nonce: nonce, Since: time.Now().Add(-ago)}, refs...)
	}
	return seen, err
}

func (w Witness) ask(ctx context.Context, ref workload.Ref, command []string) ([]wire.Arrivals, error) {
	pods, err := w.Pods.Pods(ctx, ref)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, errors.New("there are no pods")
	}
	answers := make([]wire.Arrivals, len(pods))
	all, ctx := errgroup.WithContext(ctx)
	for i := range pods {
		all.Go(func() (err error) {
			answers[i], err = answer(ctx, place{w.Pods, &pods[i], ref.Container}, command)
			return err
		})
	}
	return answers, all.Wait()
}

// answer asks a pod a second time if the way to it broke. A question changes
// nothing there.
func answer(ctx context.Context, in place, command []string) (wire.Arrivals, error) {
	a, err := answerOnce(ctx, in, command)
	if err == nil || errors.Is(err, errForgotten) || ctx.Err() != nil {
		return a, err
	}
	a, again := answerOnce(ctx, in, command)
	if again != nil {
		return a, fmt.Errorf("%w; and again: %w", err, again)
	}
	return a, nil
}

func answerOnce(ctx context.Context, in place, command []string) (wire.Arrivals, error) {
	var a wire.Arrivals
	err := in.run(ctx, command, nil, &a)
	if err == nil && !a.Complete {
		err = fmt.Errorf("pod %s %w: %s", in.pod.Name, errForgotten, a.Gap)
	}
	return a, err
}
