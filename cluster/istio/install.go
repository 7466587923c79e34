// Package istio installs a mesh into any cluster, the same way on every
// provider: Istio's own charts through istioctl, a root of trust of its own,
// strict mutual TLS, and the two private gateways of the seed.
//
// It must not know of federation: the gateways it makes serve nothing.
package istio

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
)

// The names of what is installed, as the seed has them.
const (
	// SystemNamespace holds istiod and is the mesh's root namespace.
	SystemNamespace = "istio-system"
	// GatewayNamespace holds both private gateways.
	GatewayNamespace = "istio-private-gateways"
	// IngressGateway and EgressGateway name the Deployments and Services.
	IngressGateway = "istio-private-ingressgateway"
	EgressGateway  = "istio-private-egressgateway"
	// ProxyContainer is Envoy's in every Pod, sidecar and gateway alike.
	ProxyContainer = "istio-proxy"
	// IngressPort is the private ingress gateway's port for other meshes.
	IngressPort = 15443
)

//go:embed operator.yaml
var operator []byte

//go:embed mesh.yaml
var mesh []byte

//go:embed policy.yaml
var policy []byte

// Options say how to install. All fields are needed.
type Options struct {
	// Istioctl is the path of the program; its charts are inside it.
	Istioctl string
	// CacheDir keeps the rendered charts, by the digests of the program and
	// the values, so that only a first lab pays for rendering.
	CacheDir string
}

// Install applies the mesh and returns when all objects are accepted; it does
// not wait for pods (see workload.WaitReady).
func Install(ctx context.Context, cfg *rest.Config, o Options) error {
	charts, err := render(ctx, o)
	if err != nil {
		return fmt.Errorf("istio: render charts: %w", err)
	}
	client, err := manifest.New(cfg)
	if err != nil {
		return fmt.Errorf("istio: %w", err)
	}
	for _, part := range []struct {
		name string
		text []byte
	}{{"mesh.yaml", mesh}, {"istio charts", charts}, {"policy.yaml", policy}} {
		objects, err := manifest.Decode(part.name, part.text)
		if err != nil {
			return fmt.Errorf("istio: %w", err)
		}
		if err := client.Apply(ctx, objects, manifest.ApplyOptions{FieldManager: cluster.FieldManager}); err != nil {
			return fmt.Errorf("istio: %w", err)
		}
	}
	return nil
}

// render is the manifest of the charts, from the cache where it can be.
func render(ctx context.Context, o Options) ([]byte, error) {
	key, err := cacheKey(o.Istioctl)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(o.CacheDir, "charts", key+".yaml")
	if b, err := os.ReadFile(path); err == nil {
		return b, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, o.Istioctl, "manifest", "generate", "-f", "-")
	cmd.Stdin = bytes.NewReader(operator)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s manifest generate: %w: %s", o.Istioctl, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, store(path, out)
}

// cacheKey needs no digest of a 100 MB program: its path holds one already, and
// its size and time tell a program that somebody else put there.
func cacheKey(istioctl string) (string, error) {
	st, err := os.Stat(istioctl)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, istioctl, st.Size(), st.ModTime().UnixNano())
	if _, err := io.Copy(h, bytes.NewReader(operator)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

func store(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".charts-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(b); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
