package reach

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
)

const (
	// Proxies write their logs once a second; one that has not grown for some
	// more than that is complete.
	flushed = 1200 * time.Millisecond
	// logLimit bounds how long they may take to write down what they did.
	logLimit = 10 * time.Second
)

// place of a proxy on the way of a request, in its order.
const (
	atSender = iota
	atEgress
	atIngress
	atWorkload
)

// Hops implements steps.Meshes. It looks at the pods that a request of the
// features can pass.
func (r *Reach) Hops(ctx context.Context, mesh, nonce string, since time.Time) ([]steps.Hop, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	for before := -1; ; {
		// Before they have written at all, a look would cost as much and be in vain.
		if !traffic.Rest(ctx, flushed) {
			return nil, fmt.Errorf("the logs still grow after %s: %w", logLimit, context.Cause(ctx))
		}
		found, err := hops(ctx, m, mesh, nonce, since)
		if err != nil || lines(found) == before {
			return found, err
		}
		before = lines(found)
	}
}

func lines(all []steps.Hop) (n int) {
	for _, h := range all {
		n += len(h.Own)
	}
	return n
}

func hops(ctx context.Context, m Mesh, mesh, nonce string, since time.Time) ([]steps.Hop, error) {
	var all []steps.Hop
	for _, at := range []struct {
		namespace, selector string
		rank                int
	}{
		{metav1.NamespaceDefault, "app=sleep", atSender},
		{istio.GatewayNamespace, "app=" + istio.EgressGateway, atEgress},
		{istio.GatewayNamespace, "app=" + istio.IngressGateway, atIngress},
		{metav1.NamespaceDefault, counting, atWorkload},
		{"bookinfo", counting, atWorkload},
	} {
		pods, err := m.Pods.Pods(ctx, workload.Ref{Namespace: at.namespace, Selector: at.selector})
		if err != nil {
			return nil, err
		}
		for i := range pods {
			hop, err := hopOf(ctx, m, &pods[i], nonce, since)
			if err != nil {
				return nil, err
			}
			if len(hop.Own) == 0 {
				continue
			}
			hop.Rank, hop.Proxy = at.rank, proxyName(at.rank, mesh, &pods[i])
			all = append(all, hop)
		}
	}
	return all, nil
}

func proxyName(rank int, mesh string, pod *corev1.Pod) string {
	switch rank {
	case atEgress:
		return "egress gateway of " + mesh
	case atIngress:
		return "ingress gateway of " + mesh
	}
	return strings.Join(strings.Fields("sidecar of "+pod.Labels["app"]+" "+pod.Labels["version"]), " ") + " in " + mesh
}

func hopOf(ctx context.Context, m Mesh, pod *corev1.Pod, nonce string, since time.Time) (steps.Hop, error) {
	text, err := m.Pods.Log(ctx, pod, istio.ProxyContainer, since)
	if err != nil {
		return steps.Hop{}, err
	}
	return readHop(text, nonce), nil
}

// readHop is the own share of a proxy of each request with that nonce: what it
// took less what it waited for whom it asked.
func readHop(text []byte, nonce string) steps.Hop {
	hop := steps.Hop{Resolution: time.Microsecond}
	for line := range accesslog.Lines(text) {
		if !load.SentWith(line.Agent, nonce) {
			continue
		}
		unit, took, waited := time.Microsecond, line.Took, line.Waited
		if !took.Known {
			// Whoever sets up a mesh may have left out what Istio does not have by itself.
			unit, took, waited = time.Millisecond, line.Duration, line.Service
			hop.Resolution = unit
		}
		if !took.Known {
			continue
		}
		// One that was answered by the proxy itself has waited for nobody.
		hop.Own = append(hop.Own, max(0, time.Duration(took.Value-waited.Value)*unit))
	}
	return hop
}

// clockTick is the unit of processor time in /proc; 100 Hz on every Linux that
// Go runs on.
const clockTick = 10 * time.Millisecond

// IngressCPU implements steps.Meshes. It reads /proc in the gateway's container.
func (r *Reach) IngressCPU(ctx context.Context, mesh string) (time.Duration, error) {
	end, err := r.inIngress(ctx, mesh, "cat /proc/[0-9]*/stat")
	if err != nil {
		return 0, fmt.Errorf("processor time of the ingress gateway of %s: %w", mesh, err)
	}
	used, err := envoyTime(end.out)
	if err != nil {
		return 0, fmt.Errorf("processor time of the ingress gateway of %s: exit code %d, %s: %w", mesh, end.code, end.errs, err)
	}
	return used, nil
}

// envoyTime is what the process named envoy has used, by the lines of
// /proc/PID/stat.
func envoyTime(stats string) (time.Duration, error) {
	for line := range strings.Lines(stats) {
		_, rest, ok := strings.Cut(line, " (envoy) ")
		if !ok {
			continue
		}
		// After the name: state, ppid, …; utime and stime are the 14th and 15th
		// fields of the line, the first of which are the id and the name.
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			break
		}
		var ticks int64
		for _, f := range fields[11:13] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
		return time.Duration(ticks) * clockTick, nil
	}
	return 0, fmt.Errorf("no process named envoy is seen")
}
