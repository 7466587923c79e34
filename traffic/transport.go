package traffic

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/meshfed/meshfed/traffic/load"
)

// Transport is a client for load that knocks as e does. HTTP/2 is spoken if the
// edge's ALPN offers it first. Unlike Do it lets net/http keep and share
// connections, unless the target asks for fresh ones.
func (e Edge) Transport(t load.Target) http.RoundTripper {
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
	inner.ForceAttemptHTTP2 = len(e.ALPN) > 0 && e.ALPN[0] == "h2"
	return inner
}

// Load runs a plan from inside a pod, through its sidecar, so that what is
// measured is not the harness's machine. If ctx ends, nothing is known.
func (w Workload) Load(ctx context.Context, plan load.Plan) (load.Result, error) {
	var result load.Result
	if err := w.ask(ctx, "load", plan, &result); err != nil {
		return load.Result{}, err
	}
	return result, nil
}

// Ending classifies a sample; want is who should have answered.
func Ending(s load.Sample, want Backend) Outcome {
	return Classify(s.Example, AlertNamed(tls.AlertError(s.Alert)), want)
}
