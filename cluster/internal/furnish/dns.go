package furnish

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"text/template"

	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
)

//go:embed coredns.yaml
var corednsManifest string

// installDNS applies CoreDNS. It forwards nothing: a name of the world is
// answered NXDOMAIN inside the lab, never asked outside.
func installDNS(ctx context.Context, cfg *rest.Config, address netip.Addr) error {
	t, err := template.New("coredns.yaml").Parse(corednsManifest)
	if err != nil {
		return fmt.Errorf("CoreDNS: %w", err)
	}
	var text bytes.Buffer
	if err := t.Execute(&text, map[string]any{"DNS": address}); err != nil {
		return fmt.Errorf("CoreDNS: %w", err)
	}
	objects, err := manifest.Decode("coredns.yaml", text.Bytes())
	if err != nil {
		return err
	}
	client, err := manifest.New(cfg)
	if err != nil {
		return fmt.Errorf("CoreDNS: %w", err)
	}
	if err := client.Apply(ctx, objects, manifest.ApplyOptions{FieldManager: cluster.FieldManager}); err != nil {
		return fmt.Errorf("CoreDNS: %w", err)
	}
	return nil
}
