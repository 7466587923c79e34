package reach

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic/wire"
)

// Inside implements steps.Meshes. Each of several requests has a connection of
// its own, so that each is balanced anew.
func (r *Reach) Inside(ctx context.Context, mesh string, q steps.Request, times int) ([]steps.Answer, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return nil, err
	}
	const inFlight = 8
	request := wire.Request{
		ID: "0", Method: q.Method, URL: q.URL, Nonce: q.Nonce, Headers: asUser(q),
		TimeoutMs: int(patience.Milliseconds()), Count: times, Concurrency: min(times, inFlight), FreshConnection: true,
	}
	batch, err := json.Marshal(wire.Batch{Requests: []wire.Request{request}})
	if err != nil {
		return nil, err
	}
	var report wire.Report
	sleep := workload.Ref{Namespace: "default", Selector: "app=sleep"}
	pod, err := m.Pods.Pick(ctx, sleep)
	if err != nil {
		return nil, err
	}
	if err := program(ctx, m, pod, batch, &report, "probe"); err != nil {
		return nil, err
	}
	if len(report.Results) != times {
		return nil, fmt.Errorf("the probe in %s sent %d of %d requests", sleep, len(report.Results), times)
	}
	answers := make([]steps.Answer, times)
	for i, result := range report.Results {
		answers[i] = judge(result)
	}
	return answers, nil
}

// asUser signs in by both ways at once: the product page looks at the cookie,
// everything behind it at the header.
func asUser(q steps.Request) map[string][]string {
	if q.User == "" {
		return nil
	}
	return map[string][]string{"End-User": {q.User}, "Cookie": {"user=" + q.User}}
}

// program runs the fixtures' program in a pod and reads the JSON it prints.
func program(ctx context.Context, m Mesh, pod *corev1.Pod, in []byte, out any, arguments ...string) error {
	var stdout, stderr bytes.Buffer
	streams := cluster.Streams{Out: &stdout, Err: &stderr}
	if in != nil {
		streams.In = bytes.NewReader(in)
	}
	code, err := m.Pods.ExecIn(ctx, pod, "", append([]string{fixtures.Binary}, arguments...), streams)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("%s in %s/%s: exit code %d: %s", arguments[0], pod.Namespace, pod.Name, code, bytes.TrimSpace(stderr.Bytes()))
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		return fmt.Errorf("%s in %s/%s: %w", arguments[0], pod.Namespace, pod.Name, err)
	}
	return nil
}

// counting selects the workloads that count what arrives.
const counting = "app in (productpage,details,reviews,ratings)"

// Arrivals implements steps.Meshes. A workload that may have forgotten is an
// error: "none" would be a guess.
func (r *Reach) Arrivals(ctx context.Context, mesh, nonce string) ([]steps.Arrival, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return nil, err
	}
	pods, err := m.Pods.Kube().CoreV1().Pods("").List(ctx, metav1.ListOptions{LabelSelector: counting})
	if err != nil {
		return nil, fmt.Errorf("arrivals in %s: %w", mesh, err)
	}
	if len(pods.Items) == 0 {
		return nil, fmt.Errorf("arrivals in %s: no workload counts there", mesh)
	}
	reports := make([]wire.Arrivals, len(pods.Items))
	all, ctx := errgroup.WithContext(ctx)
	for i := range pods.Items {
		all.Go(func() error {
			if err := program(ctx, m, &pods.Items[i], nil, &reports[i], "arrivals", "--nonce", nonce); err != nil {
				return fmt.Errorf("arrivals in %s: %w", mesh, err)
			}
			if !reports[i].Complete {
				return fmt.Errorf("arrivals in %s: %s cannot say: %s", mesh, reports[i].Pod, reports[i].Gap)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return flatten(reports), nil
}

func flatten(reports []wire.Arrivals) []steps.Arrival {
	var arrivals []steps.Arrival
	for _, report := range reports {
		for _, a := range report.Arrivals {
			arrivals = append(arrivals, steps.Arrival{
				Service: report.Service, Version: report.Version, Cluster: report.Cluster,
				Method: a.Method, Path: a.Path, Host: a.Host,
			})
		}
	}
	return arrivals
}
