package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/traffic/wire"
)

var reviews = workload.Ref{Namespace: "ns", Selector: "app=reviews"}

// counting is a cluster whose pods answer questions: answer(process, question)
// is what the process does, the how manieth of that pod it is from 1 on.
type counting struct {
	pods
	answer func(pod string, process int, q wire.Query) (wire.Arrivals, error)

	mu        sync.Mutex
	processes map[string]int
	alive     int
	asked     []wire.Query
}

func (c *counting) ExecIn(ctx context.Context, pod *corev1.Pod, _ string, command []string, s cluster.Streams) (int, error) {
	c.mu.Lock()
	if c.processes == nil {
		c.processes = map[string]int{}
	}
	c.processes[pod.Name]++
	process := c.processes[pod.Name]
	c.alive++
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.alive--
		c.mu.Unlock()
	}()
	done := make(chan error, 1)
	go func() { done <- c.converse(pod.Name, process, s) }()
	select {
	case err := <-done:
		return 0, err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (c *counting) converse(pod string, process int, s cluster.Streams) error {
	for in := json.NewDecoder(s.In); ; {
		var q wire.Query
		if err := in.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		c.mu.Lock()
		c.asked = append(c.asked, q)
		c.mu.Unlock()
		a, err := c.answer(pod, process, q)
		if err != nil {
			return err
		}
		a.Pod = pod
		if err := json.NewEncoder(s.Out).Encode(a); err != nil {
			return err
		}
	}
}

func (c *counting) living() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alive
}

func arrivalsOf(counts map[string]int, gap string) *counting {
	c := &counting{answer: func(pod string, _ int, _ wire.Query) (wire.Arrivals, error) {
		return wire.Arrivals{Complete: gap == "", Gap: gap, Arrivals: make([]wire.Arrival, counts[pod])}, nil
	}}
	for name := range counts {
		c.names = append(c.names, name)
	}
	return c
}

func witness(t *testing.T, p Pods) *Witness {
	w := NewWitness(p, "bookinfo")
	t.Cleanup(w.Close)
	return w
}

func TestArrivalsAreCountedOverAllPods(t *testing.T) {
	c := arrivalsOf(map[string]int{"v2": 3, "v3": 0}, "")
	q := wire.Query{Nonce: "n", Since: time.Unix(5, 0).UTC()}
	seen, err := witness(t, c).Arrivals(t.Context(), q, reviews)
	require.NoError(t, err)
	require.Equal(t, 3, seen.Total())
	require.Equal(t, map[string]int{"v2": 3, "v3": 0}, seen.ByPod())
	require.Equal(t, []wire.Query{q, q}, c.asked)
}

// Each question is answered anew, and by a process that is there already: to
// start one for each was a fifth of a run's processor time.
func TestAPodIsAskedAgainWithoutAnotherProcess(t *testing.T) {
	arrived := 0
	c := &counting{answer: func(_ string, _ int, q wire.Query) (wire.Arrivals, error) {
		arrived++
		return wire.Arrivals{Complete: true, Arrivals: make([]wire.Arrival, arrived)}, nil
	}}
	c.names = []string{"v2"}
	w := witness(t, c)
	for i := range 5 {
		seen, err := w.Lately(t.Context(), "n", time.Minute, reviews)
		require.NoError(t, err)
		require.Equal(t, i+1, seen.Total())
	}
	require.Equal(t, map[string]int{"v2": 1}, c.processes)
}

func TestQuestionsOfSeveralAtOnceGetTheirOwnAnswers(t *testing.T) {
	c := &counting{answer: func(_ string, _ int, q wire.Query) (wire.Arrivals, error) {
		return wire.Arrivals{Complete: true, Arrivals: []wire.Arrival{{Nonce: q.Nonce}}}, nil
	}}
	c.names = []string{"v2", "v3"}
	w := witness(t, c)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			nonce := string(rune('A' + i))
			seen, err := w.Lately(t.Context(), nonce, time.Minute, reviews)
			if err != nil || seen.Total() != 2 || seen.Pods[0].Arrivals[0].Nonce != nonce || seen.Pods[1].Arrivals[0].Nonce != nonce {
				t.Errorf("%s: %v, %v", nonce, seen, err)
			}
		})
	}
	all.Wait()
	require.Equal(t, map[string]int{"v2": 1, "v3": 1}, c.processes)
}

func TestAPodThatHasForgottenLongAgoKnowsOfJustNow(t *testing.T) {
	c := &counting{answer: func(_ string, _ int, q wire.Query) (wire.Arrivals, error) {
		if q.Since.IsZero() {
			return wire.Arrivals{Gap: "the ring overflowed", Arrivals: []wire.Arrival{{}}}, nil
		}
		return wire.Arrivals{Complete: true, Arrivals: []wire.Arrival{{}}}, nil
	}}
	c.names = []string{"v2"}
	seen, err := witness(t, c).Lately(t.Context(), "n", time.Minute, reviews)
	require.NoError(t, err)
	require.Equal(t, 1, seen.Total())
	require.Len(t, c.asked, 2)

	_, err = witness(t, arrivalsOf(map[string]int{"a": 0}, "just now, too")).Lately(t.Context(), "n", time.Minute, reviews)
	require.ErrorIs(t, err, ErrUnknown)
}

// A lab that was up for some hours: a pod that had forgotten ended the questions to
// the others, and what ended those was told to whoever asked them next.
func TestAPodThatHasForgottenDisturbsNoOther(t *testing.T) {
	c := &counting{answer: func(pod string, _ int, q wire.Query) (wire.Arrivals, error) {
		if pod == "old" && q.Since.IsZero() {
			return wire.Arrivals{Gap: "the ring overflowed"}, nil
		}
		return wire.Arrivals{Complete: true}, nil
	}}
	c.names = []string{"old", "v2", "v3"}
	w := witness(t, c)
	for range 200 {
		_, err := w.Lately(t.Context(), "n", time.Minute, reviews)
		require.NoError(t, err)
	}
	require.Equal(t, map[string]int{"old": 1, "v2": 1, "v3": 1}, c.processes)
}

// Whoever stops waiting in the moment in which the answer comes ends the dialogue,
// and does so before anybody else has a turn.
func TestWhyOneStoppedWaitingIsNoAnswerForTheNext(t *testing.T) {
	stop := make(chan func(error), 1)
	c := &counting{answer: func(_ string, _ int, q wire.Query) (wire.Arrivals, error) {
		if q.Nonce == "stopped" {
			(<-stop)(errForgotten)
		}
		return wire.Arrivals{Complete: true, Arrivals: []wire.Arrival{{Nonce: q.Nonce}}}, nil
	}}
	c.names = []string{"v2"}
	w := witness(t, c)
	for range 200 {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop <- cancel
		var both sync.WaitGroup
		both.Go(func() { _, _ = w.Arrivals(ctx, wire.Query{Nonce: "stopped"}, reviews) })
		both.Go(func() {
			seen, err := w.Arrivals(t.Context(), wire.Query{Nonce: "n"}, reviews)
			if err != nil || seen.Pods[0].Arrivals[0].Nonce != "n" {
				t.Errorf("%v, %v", seen, err)
			}
		})
		both.Wait()
		cancel(nil)
		select {
		case <-stop:
		default:
		}
	}
}

func TestAPodIsAskedASecondTimeIfTheWayToItBreaks(t *testing.T) {
	for name, breaks := range map[string]func() (wire.Arrivals, error){
		"before it answers":     func() (wire.Arrivals, error) { return wire.Arrivals{}, errors.New("connection reset") },
		"and nobody is told so": func() (wire.Arrivals, error) { time.Sleep(time.Hour); return wire.Arrivals{}, nil },
		"while it is idle":      nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &counting{answer: func(_ string, process int, _ wire.Query) (wire.Arrivals, error) {
				if process == 1 && breaks != nil {
					return breaks()
				}
				return wire.Arrivals{Complete: true, Arrivals: make([]wire.Arrival, 2)}, nil
			}}
			c.names = []string{"v2"}
			w := NewWitness(c, "bookinfo")
			if breaks == nil {
				_, err := w.Lately(t.Context(), "n", time.Minute, reviews)
				require.NoError(t, err)
				for _, d := range w.dialogues {
					d.hangUp(errors.New("the pod's node went away"))
				}
			}
			seen, err := w.Lately(t.Context(), "n", time.Minute, reviews)
			require.NoError(t, err, name)
			require.Equal(t, 2, seen.Total(), name)
			require.Equal(t, map[string]int{"v2": 2}, c.processes, name)
			w.Close()
			time.Sleep(2 * time.Hour)
			require.Zero(t, c.living(), name)
		})
	}
}

// A pod that takes the name of another has seen nothing of what that one saw.
func TestANewPodOfTheSameNameIsAskedItself(t *testing.T) {
	c := arrivalsOf(map[string]int{"v2": 1}, "")
	w := witness(t, c)
	for _, uid := range []types.UID{"one", "one", "other"} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "v2", UID: uid}}
		_, err := w.answer(t.Context(), place{c, pod, ""}, wire.Query{Nonce: "n"})
		require.NoError(t, err)
	}
	require.Equal(t, map[string]int{"v2": 2}, c.processes)
}

// The answer that came too late for one must not be taken for another's.
func TestAnAnswerNobodyWaitedForIsNobodyElses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{answer: func(_ string, process int, q wire.Query) (wire.Arrivals, error) {
			if q.Nonce == "slow" {
				time.Sleep(time.Minute)
			}
			return wire.Arrivals{Complete: true, Arrivals: []wire.Arrival{{Nonce: q.Nonce}}}, nil
		}}
		c.names = []string{"v2"}
		w := NewWitness(c, "bookinfo")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.Lately(ctx, "slow", time.Minute, reviews)
		require.ErrorIs(t, err, ErrUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "bookinfo arrivals --questions in ns/v2")

		seen, err := w.Lately(t.Context(), "quick", time.Minute, reviews)
		require.NoError(t, err)
		require.Equal(t, "quick", seen.Pods[0].Arrivals[0].Nonce)

		w.Close()
		time.Sleep(2 * time.Minute)
		require.Zero(t, c.living(), "no process is left in the pods")
	})
}

// The second question of Lately was put whatever the first had met, and a pod of
// a new lab answered that it was too young: nobody saw why the first had failed.
func TestWhyAPodCannotBeAskedIsNotHiddenByItsAge(t *testing.T) {
	broken := &pods{names: []string{"a"}, answer: func(string, string) (string, int, error) { return "", 0, errors.New("exec failed") }}
	_, err := witness(t, broken).Lately(t.Context(), "n", time.Minute, reviews)
	require.ErrorIs(t, err, ErrUnknown)
	require.ErrorContains(t, err, "exec failed")
	require.Len(t, broken.commands, 2)
}

func TestWhatCannotBeKnownIsNeverZero(t *testing.T) {
	ask := func(p Pods, q wire.Query, refs ...workload.Ref) error {
		_, err := witness(t, p).Arrivals(t.Context(), q, refs...)
		return err
	}
	says := func(out string, code int, err error) Pods {
		return &pods{names: []string{"a"}, answer: func(string, string) (string, int, error) { return out, code, err }}
	}
	n := wire.Query{Nonce: "n"}
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"no pods":               {ask(&pods{}, n, reviews), "there are no pods"},
		"a pod has forgotten":   {ask(arrivalsOf(map[string]int{"a": 0}, "the ring overflowed"), n, reviews), "the ring overflowed"},
		"a pod cannot be asked": {ask(says("", 0, errors.New("exec failed")), n, reviews), "exec failed"},
		"a program that fails":  {ask(says("flag provided but not defined", 1, nil), n, reviews), "exit code 1: flag provided but not defined"},
		"half an answer":        {ask(says(`{"arrivals":[{}`, 0, nil), n, reviews), "bookinfo arrivals --questions in ns/a"},
		"no JSON":               {ask(says("hello", 0, nil), n, reviews), "invalid character"},
		"no workload":           {ask(&pods{}, n), "at least one workload"},
		"no nonce":              {ask(arrivalsOf(map[string]int{"a": 0}, ""), wire.Query{}, reviews), "want a nonce"},
	} {
		require.ErrorIs(t, c.err, ErrUnknown, name)
		require.ErrorContains(t, c.err, c.says, name)
	}
}
