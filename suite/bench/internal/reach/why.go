package reach

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
	"github.com/meshfed/meshfed/suite/bench/internal/why"
	"github.com/meshfed/meshfed/traffic"
)

const (
	// whyLimit bounds how long is waited for a proxy that may have nothing to say:
	// several times what it takes to write down what it did.
	whyLimit = 6 * time.Second
	// logPause is between two looks into logs: there is nothing to watch.
	logPause = 200 * time.Millisecond
)

// Why implements steps.Meshes: it sends the request with a mark of its own in
// the query, which every proxy logs, and reads what they say about it.
func (r *Reach) Why(ctx context.Context, mesh string, q steps.Request) (steps.Diagnosis, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return steps.Diagnosis{}, err
	}
	sent := time.Now()
	mark := fmt.Sprintf("why=%d", time.Now().UnixNano())
	q.Nonce = mark[len("why="):]
	glue := "?"
	if strings.Contains(q.URL, "?") {
		glue = "&"
	}
	q.URL += glue + mark
	answers, err := r.Inside(ctx, mesh, q, 1)
	if err != nil {
		return steps.Diagnosis{}, fmt.Errorf("why: %w", err)
	}
	from, err := sender(ctx, m, q.From)
	if err != nil {
		return steps.Diagnosis{}, fmt.Errorf("why: %w", err)
	}
	way := why.Way{Answer: answers[0], EgressGateway: istio.EgressGateway}
	d, err := r.judged(ctx, m, from, way, logs{sent: sent, mark: mark, limit: whyLimit})
	if err != nil {
		return steps.Diagnosis{}, fmt.Errorf("why: %w", err)
	}
	return d, nil
}

// judged reads the logs until every proxy that must have said something has.
func (r *Reach) judged(ctx context.Context, m Mesh, from workload.Ref, way why.Way, l logs) (steps.Diagnosis, error) {
	deadline, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	for {
		if err := r.read(ctx, m, from, &way, l); err != nil {
			return steps.Diagnosis{}, err
		}
		if way.Complete() || !traffic.Rest(deadline, logPause) {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return steps.Diagnosis{}, err
	}
	// It would be told as a request that the consumer leads nowhere, of any mesh
	// that does not write its access logs in JSON.
	if way.Silent() {
		return steps.Diagnosis{}, fmt.Errorf("no proxy has logged anything of the request within %s, and the caller got: %s; "+
			"every mesh needs meshConfig.accessLogFile /dev/stdout and meshConfig.accessLogEncoding JSON", l.limit, way.Answer)
	}
	return way.Judge(), nil
}

// logs says which lines count: those with the mark, and those about connections
// since the request was sent.
type logs struct {
	sent time.Time
	mark string
	// limit is how long is waited for them.
	limit time.Duration
}

func (r *Reach) read(ctx context.Context, m Mesh, from workload.Ref, way *why.Way, l logs) error {
	gateway := func(name string) workload.Ref {
		return workload.Ref{Namespace: istio.GatewayNamespace, Selector: "app=" + name}
	}
	var err error
	if way.Sidecar, err = l.of(ctx, m, from); err != nil {
		return err
	}
	if way.Egress, err = l.of(ctx, m, gateway(istio.EgressGateway)); err != nil {
		return err
	}
	way.Ingress = nil
	var errs []error
	for name, peer := range r.meshes {
		if name == m.Cluster.Name() {
			continue
		}
		lines, err := l.of(ctx, peer, gateway(istio.IngressGateway))
		way.Ingress, errs = append(way.Ingress, lines...), append(errs, err)
	}
	return errors.Join(errs...)
}

// of reads the logs of all pods of a workload; one that is going away has none.
func (l logs) of(ctx context.Context, m Mesh, ref workload.Ref) ([]accesslog.Line, error) {
	pods, err := m.Pods.Pods(ctx, ref)
	if err != nil {
		return nil, err
	}
	var out []accesslog.Line
	// One second early: the nodes' clocks may be a little behind.
	since := l.sent.Add(-time.Second)
	for i := range pods {
		text, err := m.Pods.Log(ctx, &pods[i], istio.ProxyContainer, since)
		if err != nil {
			return nil, err
		}
		for _, line := range why.Lines(text, l.mark) {
			if line.Path != "" || !line.Start.Before(l.sent) {
				out = append(out, line)
			}
		}
	}
	return out, nil
}
