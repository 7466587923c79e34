package bench

import (
	"bytes"
	"context"
	"regexp"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
)

// found are the versions of Kubernetes, of the control plane's image and of the
// gateways' Envoy, by component.
func (m *mesh) found(ctx context.Context) (map[string]string, error) {
	info, err := m.pods.Kube().Discovery().ServerVersion()
	if err != nil {
		return nil, err
	}
	pod, err := m.pods.Pick(ctx, workload.Ref{Namespace: istio.SystemNamespace, Selector: "app=istiod"})
	if err != nil {
		return nil, err
	}
	versions := map[string]string{"kubernetes": info.GitVersion, "istiod": pod.Spec.Containers[0].Image}
	// Which make of Envoy it is: a report of the stock one and one of Istio's
	// own may differ. Where it cannot be asked the report does not say.
	if v := m.envoy(ctx); v != "" {
		versions["envoy"] = v
	}
	return versions, nil
}

func (m *mesh) envoy(ctx context.Context) string {
	var out bytes.Buffer
	gateway := workload.Ref{Namespace: istio.GatewayNamespace, Selector: "app=" + istio.IngressGateway}
	code, err := m.pods.Exec(ctx, gateway, []string{"/usr/local/bin/envoy", "--version"}, cluster.Streams{Out: &out})
	if err != nil || code != 0 {
		return ""
	}
	return envoyVersion(out.String())
}

var envoyWords = regexp.MustCompile(`version:\s+([0-9a-f]{7})[0-9a-f]*/([^/\s]+)/`)

// envoyVersion is the version and the commit, by which Istio's Envoy can be told
// from the stock one: Istio builds its own.
func envoyVersion(said string) string {
	m := envoyWords.FindStringSubmatch(said)
	if m == nil {
		return ""
	}
	return m[2] + " (" + m[1] + ")"
}
