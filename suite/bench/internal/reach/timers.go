package reach

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/steps"
)

// preciseTimer is the variable at which libevent, and so Envoy, reads the
// monotonic clock and not the coarse one.
const preciseTimer = "EVENT_PRECISE_TIMER"

// IngressTimers implements steps.Meshes, by the environment of the gateway's
// container.
func (r *Reach) IngressTimers(ctx context.Context, mesh string) (steps.Timers, error) {
	end, err := r.inIngress(ctx, mesh, "test -n \"$"+preciseTimer+"\"")
	if err != nil {
		return "", fmt.Errorf("timers of the ingress gateway of %s: %w", mesh, err)
	}
	timers, err := timersOf(end.code)
	if err != nil {
		return "", fmt.Errorf("timers of the ingress gateway of %s: %w: %s", mesh, err, end.errs)
	}
	return timers, nil
}

// timersOf reads the exit code of the shell's test, 1 for a variable that is not
// set.
func timersOf(code int) (steps.Timers, error) {
	switch code {
	case 0:
		return steps.ExactTimers, nil
	case 1:
		return steps.CoarseTimers, nil
	}
	return "", fmt.Errorf("the question for %s ended with exit code %d", preciseTimer, code)
}

// ended is what a script has said, and its exit code.
type ended struct {
	code      int
	out, errs string
}

// inIngress runs a script of the shell in a mesh's ingress gateway.
func (r *Reach) inIngress(ctx context.Context, mesh, script string) (ended, error) {
	return r.inGateway(ctx, mesh, steps.IngressGateway, "sh", "-c", script)
}

// inGateway runs a command in the container of a gateway.
func (r *Reach) inGateway(ctx context.Context, mesh string, of steps.Gateway, command ...string) (ended, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return ended{}, err
	}
	name := map[steps.Gateway]string{steps.IngressGateway: istio.IngressGateway, steps.EgressGateway: istio.EgressGateway}[of]
	gateway := workload.Ref{Namespace: istio.GatewayNamespace, Selector: "app=" + name, Container: istio.ProxyContainer}
	var out, errs strings.Builder
	code, err := m.Pods.Exec(ctx, gateway, command, cluster.Streams{Out: &out, Err: &errs})
	return ended{code, out.String(), strings.TrimSpace(errs.String())}, err
}
