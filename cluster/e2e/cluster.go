package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/k8s"
	"sigs.k8s.io/e2e-framework/klient/wait"
	"sigs.k8s.io/e2e-framework/klient/wait/conditions"
	"sigs.k8s.io/e2e-framework/support"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshfed/meshfed/cluster"
)

// Cluster is one cluster of a Lab. The setters of the framework return no
// error: what they refuse, Create says. Not safe for concurrent use.
type Cluster struct {
	lab     *Lab
	name    string
	refused []error
	up      cluster.Cluster
}

var (
	_ support.E2EClusterProvider                = (*Cluster)(nil)
	_ support.E2EClusterProviderWithImageLoader = (*Cluster)(nil)
)

// Every provider returns clusters whose nodes are Ready; this only catches one
// that broke since.
const (
	nodeInterval = 200 * time.Millisecond
	nodePatience = time.Minute
)

// errNotUp means that Create has not succeeded, or Destroy has.
var errNotUp = errors.New("the cluster is not up")

// SetDefaults has nothing to set: the lab knows all.
func (c *Cluster) SetDefaults() support.E2EClusterProvider { return c }

// WithName chooses the cluster of the topology.
func (c *Cluster) WithName(name string) support.E2EClusterProvider {
	c.name = name
	return c
}

// WithVersion is refused by Create: a provider has one version of Kubernetes.
func (c *Cluster) WithVersion(version string) support.E2EClusterProvider {
	return c.refuse("version %q: the provider decides it", version)
}

// WithPath is refused by Create: no provider is a program.
func (c *Cluster) WithPath(path string) support.E2EClusterProvider {
	return c.refuse("path %q: the provider is no program", path)
}

// WithOpts applies the options at once.
func (c *Cluster) WithOpts(opts ...support.ClusterOpts) support.E2EClusterProvider {
	for _, o := range opts {
		o(c)
	}
	return c
}

func (c *Cluster) refuse(format string, a ...any) support.E2EClusterProvider {
	c.refused = append(c.refused, fmt.Errorf(format, a...))
	return c
}

// Create brings the lab up, unless another cluster of it has, and returns the
// path of this cluster's kubeconfig. The mesh and its gateways serve then.
func (c *Cluster) Create(ctx context.Context, args ...string) (string, error) {
	if len(args) > 0 {
		c.refuse("arguments %q: there are none", args)
	}
	if err := errors.Join(c.refused...); err != nil {
		return "", fmt.Errorf("cluster %s: %w", c.name, err)
	}
	if c.up != nil {
		return c.up.Kubeconfig(), nil
	}
	up, err := c.lab.take(ctx, c.name)
	if err != nil {
		return "", fmt.Errorf("cluster %s: %w", c.name, err)
	}
	c.up = up
	return up.Kubeconfig(), nil
}

// CreateWithConfig is refused: the topology was given to NewLab.
func (c *Cluster) CreateWithConfig(_ context.Context, file string) (string, error) {
	return "", fmt.Errorf("cluster %s: configuration %s: the topology is given to NewLab", c.name, file)
}

// GetKubeconfig is the path of the kubeconfig, empty while the cluster is not up.
func (c *Cluster) GetKubeconfig() string {
	if c.up == nil {
		return ""
	}
	return c.up.Kubeconfig()
}

// GenerateKubeconfig is GetKubeconfig with an error.
func (c *Cluster) GenerateKubeconfig(...string) (string, error) {
	if c.up == nil {
		return "", fmt.Errorf("cluster %s: kubeconfig: %w", c.name, errNotUp)
	}
	return c.up.Kubeconfig(), nil
}

// GetKubectlContext is the name of the cluster.
func (c *Cluster) GetKubectlContext() string { return c.name }

// KubernetesRestConfig is nil while the cluster is not up, or if its kubeconfig
// cannot be read: the framework's signature has no error.
func (c *Cluster) KubernetesRestConfig() *rest.Config {
	if c.up == nil {
		return nil
	}
	config, err := cluster.RESTConfig(c.up)
	if err != nil {
		return nil
	}
	return config
}

// WaitForControlPlane waits until every node is Ready, at most until ctx ends
// or for a minute.
func (c *Cluster) WaitForControlPlane(ctx context.Context, client klient.Client) error {
	if c.up == nil {
		return fmt.Errorf("cluster %s: %w", c.name, errNotUp)
	}
	var nodes corev1.NodeList
	if err := client.Resources().List(ctx, &nodes); err != nil {
		return fmt.Errorf("cluster %s: nodes: %w", c.name, err)
	}
	if len(nodes.Items) == 0 {
		return fmt.Errorf("cluster %s: it has no node", c.name)
	}
	for i := range nodes.Items {
		ready := conditions.New(client.Resources()).ResourceMatch(&nodes.Items[i], nodeReady)
		if err := wait.For(ready, wait.WithContext(ctx), wait.WithImmediate(), wait.WithInterval(nodeInterval), wait.WithTimeout(nodePatience)); err != nil {
			return fmt.Errorf("cluster %s: node %s is not Ready: %v: %w", c.name, nodes.Items[i].Name, nodes.Items[i].Status.Conditions, err)
		}
	}
	return nil
}

// ExportLogs writes the logs of the whole lab below dest.
func (c *Cluster) ExportLogs(ctx context.Context, dest string) error {
	if c.up == nil {
		return fmt.Errorf("cluster %s: logs: %w", c.name, errNotUp)
	}
	return c.lab.exportLogs(ctx, dest)
}

// Destroy lets go of the cluster. The lab goes with its last one.
func (c *Cluster) Destroy(ctx context.Context) error {
	if c.up == nil {
		return nil
	}
	if err := c.lab.release(ctx); err != nil {
		return fmt.Errorf("cluster %s: %w", c.name, err)
	}
	c.up = nil
	return nil
}

// LoadImage makes an image known to the cluster.
func (c *Cluster) LoadImage(ctx context.Context, image string, _ ...string) error {
	if c.up == nil {
		return fmt.Errorf("cluster %s: image %s: %w", c.name, image, errNotUp)
	}
	return c.up.LoadImage(ctx, image)
}

// LoadImageArchive makes the images of a `docker save` archive known.
func (c *Cluster) LoadImageArchive(ctx context.Context, path string, _ ...string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("cluster %s: image archive: %w", c.name, err)
	}
	return c.LoadImage(ctx, path)
}

func nodeReady(o k8s.Object) bool {
	node, is := o.(*corev1.Node)
	return is && slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
