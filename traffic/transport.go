package traffic

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/meshfed/meshfed/traffic/load"
)

// Transport is a client for load that knocks as e does, in the protocol that the
// target asks for. Unlike Do it lets net/http keep and share connections, unless
// the target asks for fresh ones.
func (e Edge) Transport(t load.Target) http.RoundTripper {
	if t.HTTP2 {
		e.ALPN = []string{"h2"}
	}
	inner := load.Transport(t).(*http.Transport)
	inner.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.Address)
		if err != nil {
			return nil, err
		}
		secured := tls.Client(plain, e.config())
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = plain.Close()
			return nil, err
		}
		return secured, nil
	}
	inner.ForceAttemptHTTP2 = t.HTTP2
	return inner
}

// Load runs a plan from inside a pod, through its sidecar, so that what is
// measured is not the harness's machine. If ctx ends, what was measured until
// then is returned with the cause.
func (w Workload) Load(ctx context.Context, plan load.Plan) (load.Result, error) {
	pod, err := w.Pods.Pick(ctx, w.Ref)
	if err != nil {
		return load.Result{}, fmt.Errorf("load from %s: %w", w.Ref, err)
	}
	at := place{w.Pods, pod, w.Ref.Container}
	result, err := load.Exchange(ctx, plan, func(ctx context.Context, in io.Reader, out io.Writer) error {
		return at.exec(ctx, []string{w.Program, "load"}, in, out)
	})
	if err != nil {
		return result, fmt.Errorf("load from %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return result, nil
}

// Ending classifies a sample; want is who should have answered.
func Ending(s load.Sample, want Backend) Outcome {
	return Classify(s.Example, AlertNamed(tls.AlertError(s.Alert)), want)
}
