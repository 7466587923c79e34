package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/traffic/wire"
)

// Pods is what this package asks of a cluster; *workload.Client does it.
type Pods interface {
	Pick(ctx context.Context, ref workload.Ref) (*corev1.Pod, error)
	Pods(ctx context.Context, ref workload.Ref) ([]corev1.Pod, error)
	ExecIn(ctx context.Context, pod *corev1.Pod, container string, command []string, streams cluster.Streams) (int, error)
}

// Workload sends requests from inside a pod, through its sidecar.
type Workload struct {
	Pods Pods
	// Ref is the workload; one of its ready pods sends.
	Ref workload.Ref
	// Program is the path of the fixture's program in the pod.
	Program string
}

// Ask is one request from a workload, or several alike, and who should answer.
type Ask struct {
	wire.Request
	// Want is who should answer. The zero value accepts any fixture.
	Want Backend
}

// Send sends all of them in one exec. The outcomes are in the order of the
// asks, Count of each. What becomes of a request is its outcome; the error is
// that of the harness: the pod could not be reached, or the answer is not
// complete.
func (w Workload) Send(ctx context.Context, asks ...Ask) ([]Outcome, error) {
	batch := wire.Batch{}
	var wants []Backend
	for _, a := range asks {
		batch.Requests = append(batch.Requests, a.Request)
		for range max(a.Count, 1) {
			wants = append(wants, a.Want)
		}
	}
	var report wire.Report
	if err := w.ask(ctx, "probe", batch, &report); err != nil {
		return nil, err
	}
	if len(report.Results) != len(wants) {
		return nil, fmt.Errorf("send from %s: %d results for %d requests", w.Ref, len(report.Results), len(wants))
	}
	outcomes := make([]Outcome, len(wants))
	for i, r := range report.Results {
		outcomes[i] = Classify(r, "", wants[i])
	}
	return outcomes, nil
}

// ask has the fixture's program do something in one of the pods.
func (w Workload) ask(ctx context.Context, command string, question, answer any) error {
	in, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("%s from %s: %w", command, w.Ref, err)
	}
	pod, err := w.Pods.Pick(ctx, w.Ref)
	if err != nil {
		return fmt.Errorf("%s from %s: %w", command, w.Ref, err)
	}
	if err := (place{w.Pods, pod, w.Ref.Container}).run(ctx, []string{w.Program, command}, in, answer); err != nil {
		return fmt.Errorf("%s from %s: %w", command, w.Ref, err)
	}
	return nil
}

// place is where the fixture's program runs.
type place struct {
	pods      Pods
	pod       *corev1.Pod
	container string
}

// doing names the program as it runs there, for errors.
func (p place) doing(command []string) string {
	return fmt.Sprintf("%s in %s/%s", strings.Join(command, " "), p.pod.Namespace, p.pod.Name)
}

// exec runs the program on two streams. That it fails is an error, with what it
// said of it.
func (p place) exec(ctx context.Context, command []string, in io.Reader, out io.Writer) error {
	var stderr bytes.Buffer
	code, err := p.pods.ExecIn(ctx, p.pod, p.container, command, cluster.Streams{In: in, Out: out, Err: &stderr})
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d: %s", code, bytes.TrimSpace(stderr.Bytes()))
	}
	return err
}

// run executes the program and reads the JSON it prints into out.
func (p place) run(ctx context.Context, command []string, in []byte, out any) error {
	var stdout bytes.Buffer
	if err := p.exec(ctx, command, bytes.NewReader(in), &stdout); err != nil {
		return fmt.Errorf("%s: %w", p.doing(command), err)
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		return fmt.Errorf("%s: read its answer: %w", p.doing(command), err)
	}
	return nil
}
