package traffic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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

// patience is how long a pod may take to answer a question. A way that has become
// silent must leave time for another.
const patience = 10 * time.Second

var errNoAnswer = fmt.Errorf("no answer within %s", patience)

// Witness asks workloads what reached them. It is safe for concurrent use.
type Witness struct {
	pods Pods
	// program is the path of the fixture's program in the pods.
	program string

	mu sync.Mutex
	// dialogues go on from one question to the next, by pod and container.
	dialogues map[string]*dialogue
}

// NewWitness is one for the pods of a cluster; program is the path of the
// fixture's program in them. It must be closed.
func NewWitness(pods Pods, program string) *Witness {
	return &Witness{pods: pods, program: program, dialogues: map[string]*dialogue{}}
}

// Close ends the processes in the pods that answer. Whoever asks after it begins
// them anew.
func (w *Witness) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.dialogues {
		d.end(errClosed)
	}
	clear(w.dialogues)
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

// Arrivals asks every pod of every workload for the requests with a nonce, which
// is required. A workload without pods, a pod that does not answer, and one that
// may have forgotten are errors that wrap ErrUnknown.
func (w *Witness) Arrivals(ctx context.Context, q wire.Query, refs ...workload.Ref) (Seen, error) {
	if q.Nonce == "" || len(refs) == 0 {
		return Seen{}, fmt.Errorf("%w: want a nonce and at least one workload", ErrUnknown)
	}
	var seen Seen
	for _, ref := range refs {
		answers, err := w.ask(ctx, ref, q)
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
func (w *Witness) Lately(ctx context.Context, nonce string, ago time.Duration, refs ...workload.Ref) (Seen, error) {
	seen, err := w.Arrivals(ctx, wire.Query{Nonce: nonce}, refs...)
	if errors.Is(err, errForgotten) && ctx.Err() == nil {
		return w.Arrivals(ctx, wire.Query{Nonce: nonce, Since: time.Now().Add(-ago)}, refs...)
	}
	return seen, err
}

func (w *Witness) ask(ctx context.Context, ref workload.Ref, q wire.Query) ([]wire.Arrivals, error) {
	pods, err := w.pods.Pods(ctx, ref)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, errors.New("there are no pods")
	}
	answers := make([]wire.Arrivals, len(pods))
	// What one pod has forgotten is no reason to break off with the others: their
	// processes would have to be started anew for the next question.
	var all errgroup.Group
	for i := range pods {
		all.Go(func() (err error) {
			answers[i], err = w.answer(ctx, place{w.pods, &pods[i], ref.Container}, q)
			return err
		})
	}
	return answers, all.Wait()
}

// answer asks a pod a second time if the way to it broke. A question changes
// nothing there.
func (w *Witness) answer(ctx context.Context, in place, q wire.Query) (wire.Arrivals, error) {
	a, err := w.answerOnce(ctx, in, q)
	if err == nil || errors.Is(err, errForgotten) || ctx.Err() != nil {
		return a, err
	}
	a, again := w.answerOnce(ctx, in, q)
	if again != nil {
		return a, fmt.Errorf("%w; and again: %w", err, again)
	}
	return a, nil
}

func (w *Witness) answerOnce(ctx context.Context, in place, q wire.Query) (wire.Arrivals, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNoAnswer)
	defer cancel()
	a, err := w.dialogue(ctx, in).ask(ctx, q)
	if err == nil && !a.Complete {
		err = fmt.Errorf("pod %s %w: %s", in.pod.Name, errForgotten, a.Gap)
	}
	return a, err
}

// dialogue is the one with that place, or a new one if it is over.
func (w *Witness) dialogue(ctx context.Context, in place) *dialogue {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.Join([]string{in.pod.Namespace, in.pod.Name, string(in.pod.UID), in.container}, "/")
	d, known := w.dialogues[key]
	if !known || d.over() {
		d = begin(ctx, in, []string{w.program, "arrivals", "--questions"})
		w.dialogues[key] = d
	}
	return d
}
