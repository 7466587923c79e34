package node

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
	"github.com/meshfed/meshfed/cluster/internal/proc"
)

// probeInterval is how often a starting program is asked. Its readiness is an
// HTTP answer, so there is nothing to watch; the asking costs well under 1 %.
const probeInterval = 25 * time.Millisecond

// APIReady is the text of the Step that says the API server serves.
const APIReady = "kube-apiserver is ready"

// launch starts a program that is to live as long as the node: its end ends
// the node, with its last words.
func (n *node) launch(life context.Context, name string, args ...string) (*proc.Process, error) {
	p, err := n.spawn(life, name, args...)
	if err != nil {
		return nil, err
	}
	n.group.Go(func() error {
		select {
		case <-p.Done():
			if life.Err() != nil {
				return nil
			}
			return p.Err()
		case <-life.Done():
			return nil
		}
	})
	return p, nil
}

func (n *node) spawn(life context.Context, name string, args ...string) (*proc.Process, error) {
	path, ok := n.Tools[name]
	if !ok {
		return nil, fmt.Errorf("start %s: the lab was given no path for it", name)
	}
	return proc.Start(exec.CommandContext(life, path, args...), name, n.LogDir)
}

// startControlPlane returns when the API server is ready. The others have been
// started by then and find it by themselves.
func (n *node) startControlPlane(life, begin context.Context) error {
	// etcd and the API server start side by side: the second retries its
	// first connection until the first listens.
	if _, err := n.keep(life, "etcd", n.etcdArgs()...); err != nil {
		return err
	}
	api, err := n.keep(life, "kube-apiserver", n.apiServerArgs()...)
	if err != nil {
		return err
	}
	client, err := n.client("kube-controller-manager")
	if err != nil {
		return err
	}
	if err := api.Until(begin, probeInterval, func(ctx context.Context) error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}); err != nil {
		return err
	}
	n.sender.Send(event.Step, APIReady)
	if _, err := n.launch(life, "kube-controller-manager", n.controllerManagerArgs()...); err != nil {
		return err
	}
	if _, err := n.launch(life, "kube-scheduler", "--kubeconfig="+n.file("kube-scheduler.kubeconfig"),
		"--leader-elect=false", "--bind-address=127.0.0.1"); err != nil {
		return err
	}
	return nil
}

func (n *node) client(leaf string) (*kubernetes.Clientset, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", n.file(leaf+".kubeconfig"))
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", leaf, err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", leaf, err)
	}
	return client, nil
}

func (n *node) etcdArgs() []string {
	return []string{
		"--name=" + n.Name,
		"--data-dir=" + filepath.Join(n.dirs.etcd, "data"),
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=" + n.Name + "=http://127.0.0.1:2380",
		// The data is in memory; a sync would protect nothing.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func (n *node) apiServerArgs() []string {
	return []string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address=" + n.plan.Node.String(), "--bind-address=0.0.0.0", "--secure-port=6443",
		"--tls-cert-file=" + n.file("apiserver.crt"), "--tls-private-key-file=" + n.file("apiserver.key"),
		"--client-ca-file=" + n.file("ca.crt"),
		"--kubelet-certificate-authority=" + n.file("ca.crt"),
		"--kubelet-client-certificate=" + n.file("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + n.file("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + n.file("sa.key"), "--service-account-signing-key-file=" + n.file("sa.key"),
		"--service-cluster-ip-range=" + n.plan.Services.String(),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--enable-priority-and-fairness=false", "--profiling=false",
	}
}

func (n *node) controllerManagerArgs() []string {
	return []string{
		"--kubeconfig=" + n.file("kube-controller-manager.kubeconfig"),
		"--leader-elect=false", "--bind-address=127.0.0.1",
		"--root-ca-file=" + n.file("ca.crt"),
		"--service-account-private-key-file=" + n.file("sa.key"),
		"--use-service-account-credentials=true",
		// The node's runtime assigns pod addresses from the plan itself.
		"--allocate-node-cidrs=false",
		"--kube-api-qps=200", "--kube-api-burst=400",
	}
}
