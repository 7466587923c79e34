package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

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
	var in json.RawMessage
	_ = json.NewDecoder(s.In).Decode(&in)
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
