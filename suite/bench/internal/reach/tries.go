package reach

import (
	"context"
	"fmt"
	"time"

	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
	"github.com/meshfed/meshfed/traffic"
)

// Tries implements steps.Meshes. A proxy's log is in the order in which requests
// end, and each proxy writes its own once a second.
func (r *Reach) Tries(ctx context.Context, mesh, nonce, after string) (int, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	pods, err := m.Pods.Pods(ctx, workload.Ref{Namespace: istio.GatewayNamespace, Selector: "app=" + istio.IngressGateway})
	if err != nil {
		return 0, fmt.Errorf("ingress gateway of %s: %w", mesh, err)
	}
	since := time.Now().Add(-lately)
	for late := false; ; {
		count := map[string]int{}
		for i := range pods {
			text, err := m.Pods.Log(ctx, &pods[i], istio.ProxyContainer, since)
			if err != nil {
				return 0, fmt.Errorf("tries at the ingress gateway of %s: %w", mesh, err)
			}
			countNonces(text, count)
		}
		there := count[after] > 0
		if there && (late || len(pods) == 1) {
			return count[nonce], nil
		}
		// The end of one pod's log says nothing of another's.
		late = there
		pause := logPause
		if late {
			pause = flushed
		}
		if !traffic.Rest(ctx, pause) {
			return 0, fmt.Errorf("the access log of the ingress gateway of %s has no request with the nonce %s after %s: "+
				"does meshConfig.accessLogFormat have the header x-meshfed-nonce as \"nonce\"?", mesh, after, logLimit)
		}
	}
}

// lately is longer than a scenario takes from a request to the question about it.
const lately = time.Minute

// countNonces counts the requests in an access log by their nonces.
func countNonces(log []byte, count map[string]int) {
	for line := range accesslog.Lines(log) {
		if line.Nonce != "" {
			count[line.Nonce]++
		}
	}
}
