package node

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
)

//go:embed manifests/kubelet.yaml
var kubeletConfig string

//go:embed manifests/kube-proxy.yaml
var kubeProxyConfig string

// startNode starts the runtime, kubelet and kube-proxy and returns when the
// node is Ready.
func (n *node) startNode(life, begin context.Context) error {
	socket := n.dirs.state + "/cri.sock"
	if err := n.startRuntime(life, socket); err != nil {
		return err
	}
	kubelet, err := n.configFile("kubelet.yaml", kubeletConfig, socket)
	if err != nil {
		return err
	}
	p, err := n.launch(life, "kubelet", "--config="+kubelet, "--kubeconfig="+n.file("kubelet.kubeconfig"),
		"--hostname-override="+n.Name, "--node-ip="+n.plan.Node.String())
	if err != nil {
		return err
	}
	proxy, err := n.configFile("kube-proxy.yaml", kubeProxyConfig, socket)
	if err != nil {
		return err
	}
	if _, err := n.launch(life, "kube-proxy", "--config="+proxy, "--hostname-override="+n.Name); err != nil {
		return err
	}
	client, err := n.client("admin-local")
	if err != nil {
		return err
	}
	n.group.Go(func() error { return n.balanceLoad(life, client) })
	ctx, cancel := context.WithCancelCause(begin)
	defer cancel(nil)
	go func() {
		select {
		case <-p.Done():
			cancel(p.Err())
		case <-ctx.Done():
		}
	}()
	return n.untilReady(ctx, client)
}

func (n *node) startRuntime(life context.Context, socket string) error {
	log, err := n.logger("cri")
	if err != nil {
		return err
	}
	store, err := image.OpenDir(n.Images)
	if err != nil {
		return err
	}
	server, err := cri.New(cri.Config{
		Socket: socket, StateDir: n.dirs.cri, Images: store, PodCIDR: n.plan.Pods, Self: n.Self, Logger: log,
	})
	if err != nil {
		return err
	}
	n.group.Go(func() error { return server.Serve(life) })
	return nil
}

func (n *node) configFile(name, text, socket string) (string, error) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{
		"PKI": n.dirs.pki, "Socket": socket, "DNS": n.plan.DNS, "Node": n.plan.Node, "Pods": n.plan.Pods,
	}); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	path := n.dirs.state + "/" + name
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return path, nil
}

// untilReady watches the Node object; kubelet makes it.
func (n *node) untilReady(ctx context.Context, client kubernetes.Interface) error {
	only := fields.OneTermEqualSelector("metadata.name", n.Name).String()
	nodes := client.CoreV1().Nodes()
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = only
			return nodes.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = only
			return nodes.Watch(ctx, o)
		},
	}
	seen := "no Node object"
	begun := time.Now()
	_, err := watchtools.UntilWithSync(ctx, lw, &corev1.Node{}, nil, func(e watch.Event) (bool, error) {
		node, ok := e.Object.(*corev1.Node)
		if !ok {
			return false, nil
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady {
				seen = fmt.Sprintf("condition Ready is %s: %s", c.Status, c.Message)
				return c.Status == corev1.ConditionTrue, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("node %s not Ready after %s (%s): %w", n.Name, time.Since(begun).Round(time.Millisecond), seen, context.Cause(ctx))
	}
	n.sender.Send(event.Step, "node is Ready")
	return nil
}
