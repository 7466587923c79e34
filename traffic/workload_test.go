package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/traffic/wire"
)

var _ Pods = (*workload.Client)(nil)

// pods is a cluster whose pods answer an exec with answer(pod).
type pods struct {
	names  []string
	answer func(pod, stdin string) (stdout string, code int, err error)

	mu       sync.Mutex
	commands []string
}

func (p *pods) Pods(context.Context, workload.Ref) ([]corev1.Pod, error) {
	var list []corev1.Pod
	for _, name := range p.names {
		list = append(list, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}})
	}
	return list, nil
}

func (p *pods) Pick(ctx context.Context, ref workload.Ref) (*corev1.Pod, error) {
	list, _ := p.Pods(ctx, ref)
	if len(list) == 0 {
		return nil, workload.ErrNoPod
	}
	return &list[0], nil
}

func (p *pods) ExecIn(_ context.Context, pod *corev1.Pod, _ string, command []string, s cluster.Streams) (int, error) {
	in, _ := io.ReadAll(s.In)
	p.mu.Lock()
	p.commands = append(p.commands, strings.Join(command, " "))
	p.mu.Unlock()
	out, code, err := p.answer(pod.Name, string(in))
	if code != 0 {
		_, _ = io.WriteString(s.Err, out)
	} else {
		_, _ = io.WriteString(s.Out, out)
	}
	return code, err
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestABatchIsOneExecAndEachAskHasItsExpectation(t *testing.T) {
	p := &pods{names: []string{"sleep-x"}, answer: func(_, in string) (string, int, error) {
		var batch wire.Batch
		if err := json.Unmarshal([]byte(in), &batch); err != nil {
			return "", 0, err
		}
		var report wire.Report
		for _, r := range batch.Requests {
			for range max(r.Count, 1) {
				report.Results = append(report.Results, fixtureAnswer(200))
			}
		}
		return text(report), 0, nil
	}}
	w := Workload{Pods: p, Program: "/bin/bookinfo"}
	got, err := w.Send(t.Context(),
		Ask{Request: wire.Request{ID: "a", URL: "http://reviews:9080/", Count: 2}, Want: Backend{Version: "v2"}},
		Ask{Request: wire.Request{ID: "b", URL: "http://reviews:9080/"}, Want: Backend{Version: "v1"}})
	require.NoError(t, err)
	require.Equal(t, []string{"/bin/bookinfo probe"}, p.commands)
	require.Len(t, got, 3)
	require.Equal(t, []Kind{Allowed, Allowed, WrongBackend}, []Kind{got[0].Kind, got[1].Kind, got[2].Kind})
}

func TestAProbeThatFailsIsAnErrorOfTheHarness(t *testing.T) {
	for name, c := range map[string]struct {
		pods *pods
		says string
	}{
		"no pod":     {&pods{}, "no pod is ready"},
		"exec fails": {&pods{names: []string{"p"}, answer: func(string, string) (string, int, error) { return "", 0, errors.New("broken") }}, "bookinfo probe in ns/p: broken"},
		"it fails":   {&pods{names: []string{"p"}, answer: func(string, string) (string, int, error) { return "what batch", 1, nil }}, "exit code 1: what batch"},
		"not JSON":   {&pods{names: []string{"p"}, answer: func(string, string) (string, int, error) { return "hello", 0, nil }}, "read its answer"},
		"too few":    {&pods{names: []string{"p"}, answer: func(string, string) (string, int, error) { return `{"results":[]}`, 0, nil }}, "0 results for 1 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Workload{Pods: c.pods, Program: "bookinfo"}.Send(t.Context(), Ask{Request: wire.Request{URL: "http://a/"}})
			require.ErrorContains(t, err, c.says)
		})
	}
}

func arrivalsOf(counts map[string]int, gap string) *pods {
	p := &pods{answer: func(pod, _ string) (string, int, error) {
		return text(wire.Arrivals{Pod: pod, Complete: gap == "", Gap: gap, Arrivals: make([]wire.Arrival, counts[pod])}), 0, nil
	}}
	for name := range counts {
		p.names = append(p.names, name)
	}
	return p
}

var reviews = workload.Ref{Namespace: "ns", Selector: "app=reviews"}

func TestArrivalsAreCountedOverAllPods(t *testing.T) {
	p := arrivalsOf(map[string]int{"v2": 3, "v3": 0}, "")
	seen, err := Witness{p, "bookinfo"}.Arrivals(t.Context(), Query{Nonce: "n", Since: time.Unix(5, 0)}, reviews)
	require.NoError(t, err)
	require.Equal(t, 3, seen.Total())
	require.Equal(t, map[string]int{"v2": 3, "v3": 0}, seen.ByPod())
	require.Equal(t, "bookinfo arrivals --nonce n --since 1970-01-01T00:00:05Z", p.commands[0])
}

func TestAPodThatHasForgottenLongAgoKnowsOfJustNow(t *testing.T) {
	p := &pods{names: []string{"v2"}}
	p.answer = func(pod, _ string) (string, int, error) {
		seen := wire.Arrivals{Pod: pod, Gap: "the ring overflowed", Arrivals: []wire.Arrival{{}}}
		if strings.Contains(p.commands[len(p.commands)-1], " --since ") {
			seen.Complete, seen.Gap = true, ""
		}
		return text(seen), 0, nil
	}
	seen, err := Witness{p, "bookinfo"}.Lately(t.Context(), "n", time.Minute, reviews)
	require.NoError(t, err)
	require.Equal(t, 1, seen.Total())
	require.Len(t, p.commands, 2)

	_, err = Witness{arrivalsOf(map[string]int{"a": 0}, "just now, too"), "bookinfo"}.Lately(t.Context(), "n", time.Minute, reviews)
	require.ErrorIs(t, err, ErrUnknown)
}

func TestAPodIsAskedASecondTimeIfTheWayToItBreaks(t *testing.T) {
	p := &pods{names: []string{"v2"}}
	p.answer = func(pod, _ string) (string, int, error) {
		if len(p.commands) == 1 {
			return `{"arrivals":[{}`, 0, nil
		}
		return text(wire.Arrivals{Pod: pod, Complete: true, Arrivals: []wire.Arrival{{}, {}}}), 0, nil
	}
	seen, err := Witness{p, "bookinfo"}.Lately(t.Context(), "n", time.Minute, reviews)
	require.NoError(t, err)
	require.Equal(t, 2, seen.Total())
	require.Len(t, p.commands, 2)
	require.Equal(t, p.commands[0], p.commands[1])
}

// The second question of Lately was put whatever the first had met, and a pod of
// a new lab answered that it was too young: nobody saw why the first had failed.
func TestWhyAPodCannotBeAskedIsNotHiddenByItsAge(t *testing.T) {
	broken := &pods{names: []string{"a"}, answer: func(string, string) (string, int, error) { return "", 0, errors.New("exec failed") }}
	_, err := Witness{broken, "bookinfo"}.Lately(t.Context(), "n", time.Minute, reviews)
	require.ErrorIs(t, err, ErrUnknown)
	require.ErrorContains(t, err, "exec failed")
	require.Len(t, broken.commands, 2)
	for _, c := range broken.commands {
		require.NotContains(t, c, "--since")
	}
}

func TestWhatCannotBeKnownIsNeverZero(t *testing.T) {
	ask := func(p *pods, q Query, refs ...workload.Ref) error {
		_, err := Witness{p, "bookinfo"}.Arrivals(t.Context(), q, refs...)
		return err
	}
	n := Query{Nonce: "n"}
	broken := &pods{names: []string{"a"}, answer: func(string, string) (string, int, error) { return "", 0, errors.New("exec failed") }}
	for name, err := range map[string]error{
		"no pods":               ask(&pods{}, n, reviews),
		"a pod has forgotten":   ask(arrivalsOf(map[string]int{"a": 0}, "the ring overflowed"), n, reviews),
		"a pod cannot be asked": ask(broken, n, reviews),
		"no workload":           ask(&pods{}, n),
		"no nonce":              ask(arrivalsOf(map[string]int{"a": 0}, ""), Query{}, reviews),
	} {
		require.ErrorIs(t, err, ErrUnknown, name)
	}
}
