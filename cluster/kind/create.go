package kind

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	kind "sigs.k8s.io/kind/pkg/cluster"
	kindexec "sigs.k8s.io/kind/pkg/exec"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/addr"
	"github.com/meshfed/meshfed/cluster/internal/furnish"
	"github.com/meshfed/meshfed/cluster/internal/progress"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/kind/internal/engine"
)

const (
	// bringUp is about how long a lab takes, for the progress line.
	bringUp = 75 * time.Second
	// nodeLimit is how long kind waits for a node.
	nodeLimit = 3 * time.Minute
)

// create makes the clusters and installs what every one has. If it fails or ctx
// ends, nothing is left but the error.
func (l *Lab) create(ctx context.Context, t cluster.Topology, p parts, host enginePlace) (err error) {
	task := l.provider.report.Begin(progress.Step{
		Title: fmt.Sprintf("bringing up kind lab %s (%d meshes)", l.name, len(t.Clusters)), Estimate: bringUp,
	})
	defer func() { task.End(err) }()
	if err := l.begin(t, p, host); err != nil {
		return err
	}
	err = l.make(ctx, p)
	if err == nil {
		l.record.Ready = true
		err = l.writeRecord()
	}
	if err != nil {
		return errors.Join(err, l.Delete(context.WithoutCancel(ctx)))
	}
	return nil
}

// begin writes down what is going to be made, before any of it is.
func (l *Lab) begin(t cluster.Topology, p parts, host enginePlace) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	if err := l.lockMaker(); errors.Is(err, unix.EWOULDBLOCK) {
		return errors.New("another run is bringing it up: wait for it, or choose another name with --lab")
	} else if err != nil {
		return err
	}
	if err := l.readRecord(); err == nil {
		l.releaseMaker()
		return errors.New("there is one already: use it with --lab, or remove it with `conformance cleanup --provider kind`")
	}
	l.record = record{Host: host.address, Own: host.own, Images: p.images, ToolsDir: p.toolsDir}
	for _, c := range t.Clusters {
		l.record.Clusters = append(l.record.Clusters, clusterRecord{Name: c.Name, Kind: networkName(l.name) + "-" + c.Name})
	}
	if host.own {
		n, err := l.provider.freeNetwork()
		if err != nil {
			return err
		}
		l.record.Network = n
	}
	return l.writeRecord()
}

// freeNetwork is the number of a network that no other lab has.
func (p *Provider) freeNetwork() (int, error) {
	names, err := p.names()
	if err != nil {
		return 0, err
	}
	var taken []int
	for _, name := range names {
		if l := p.lab(name); l.readRecord() == nil {
			taken = append(taken, l.record.Network)
		}
	}
	n := 1
	for slices.Contains(taken, n) {
		n++
	}
	return n, nil
}

func (l *Lab) make(ctx context.Context, p parts) error {
	if l.record.Own {
		if err := l.startEngine(ctx, p); err != nil {
			return err
		}
	}
	d := l.docker()
	if err := l.refuseOthers(ctx, d); err != nil {
		return err
	}
	if err := p.loadNode(ctx, d); err != nil {
		return err
	}
	var subnet netip.Prefix
	if l.record.Own {
		var err error
		if subnet, err = engine.Subnet(l.record.Network); err != nil {
			return err
		}
	}
	if err := d.createNetwork(ctx, l.name, subnet); err != nil {
		return err
	}
	prefix, gateway, err := d.networkPrefix(ctx, l.name)
	if err != nil {
		return err
	}
	if err := d.use(networkName(l.name)); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range l.record.Clusters {
		g.Go(func() error {
			if err := l.makeCluster(ctx, i, p, fence{Network: prefix, Gateway: gateway}); err != nil {
				return fmt.Errorf("cluster %s: %w", c.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// refuseOthers holds if no cluster of these names is there: it would be
// somebody's, so it is forgotten before anything is removed.
func (l *Lab) refuseOthers(ctx context.Context, d docker) error {
	there, err := d.nodes(ctx, l.record.Clusters)
	if err == nil && len(there) == 0 {
		return nil
	}
	l.record.Clusters = nil
	if err == nil {
		err = errors.New("the engine has clusters of kind of these names already, which are not this lab's: choose another name with --lab")
	}
	return errors.Join(err, l.writeRecord())
}

func (l *Lab) startEngine(ctx context.Context, p parts) error {
	e := l.provider.engine()
	hold, err := e.Hold()
	if err != nil {
		return err
	}
	defer hold.Close()
	return e.Start(ctx, p.runtime)
}

// makeCluster makes one cluster, fences it, and brings it names and a mesh.
func (l *Lab) makeCluster(ctx context.Context, i int, p parts, f fence) error {
	plan, err := addr.PlanOf(i)
	if err != nil {
		return err
	}
	if err := l.runKind(ctx, i, configOf(plan, p.node)); err != nil {
		return err
	}
	m := l.member(i)
	if err := m.adopt(); err != nil {
		return err
	}
	l.record.Clusters[i] = m.record
	f.Pods = plan.Pods
	if err := m.fence(f); err != nil {
		return err
	}
	for _, archive := range p.archives {
		if err := m.load(archive); err != nil {
			return err
		}
	}
	cfg, err := cluster.RESTConfig(m)
	if err != nil {
		return err
	}
	return furnish.Cluster(ctx, cfg, furnish.Options{
		DNS:   plan.DNS,
		Istio: istio.Options{Istioctl: p.istioctl, CacheDir: l.provider.cacheDir},
	})
}

// runKind creates the cluster. kind cannot be told to stop; without its
// containers it fails soon.
func (l *Lab) runKind(ctx context.Context, i int, config *v1alpha4.Cluster) error {
	c := l.record.Clusters[i]
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed = library().Create(c.Kind,
			kind.CreateWithV1Alpha4Config(config),
			kind.CreateWithWaitForReady(nodeLimit),
			kind.CreateWithKubeconfigPath(l.path(c.Name+".kind")),
			kind.CreateWithDisplayUsage(false),
			kind.CreateWithDisplaySalutation(false))
	}()
	select {
	case <-done:
		if failed != nil {
			return fmt.Errorf("kind: %w", explained(failed))
		}
		return ctx.Err()
	case <-ctx.Done():
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range 60 {
		_, _ = l.docker().removeOnce(context.WithoutCancel(ctx), l.name, l.record.Clusters)
		select {
		case <-done: //nolint:errcheck // it can only complain of what was removed under it
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return errors.Join(context.Cause(ctx), errors.New("kind did not stop"))
}

// explained adds what the program said that kind ran in vain.
func explained(err error) error {
	failed := kindexec.RunErrorForError(err)
	if failed == nil {
		return err
	}
	const enough = 2000
	said := failed.Output[max(0, len(failed.Output)-enough):]
	return fmt.Errorf("%w; it said:\n%s", err, said)
}

// clusterPatch: nobody needs the state of a lab after a power cut, and there is
// nobody to be elected against; on a machine that is busy for some seconds a
// component would lose its election and start again.
const clusterPatch = `kind: ClusterConfiguration
etcd: {local: {extraArgs: [{name: unsafe-no-fsync, value: "true"}]}}
controllerManager: {extraArgs: [{name: leader-elect, value: "false"}]}
scheduler: {extraArgs: [{name: leader-elect, value: "false"}]}
`

// configOf is the cluster as kind makes it.
func configOf(plan addr.Plan, image string) *v1alpha4.Cluster {
	return &v1alpha4.Cluster{
		Nodes: []v1alpha4.Node{{Role: v1alpha4.ControlPlaneRole, Image: image}},
		Networking: v1alpha4.Networking{
			IPFamily:      v1alpha4.IPv4Family,
			PodSubnet:     plan.Pods.String(),
			ServiceSubnet: plan.Services.String(),
			KubeProxyMode: "nftables",
		},
		KubeadmConfigPatches: []string{
			// The lab's own CoreDNS, which forwards nothing, takes its place.
			"kind: InitConfiguration\nskipPhases: [preflight, addon/coredns]\n",
			"kind: KubeletConfiguration\nfailCgroupV1: false\n",
			clusterPatch,
		},
	}
}

// adopt finds out where the node is and writes the cluster's kubeconfig: one
// context, named as the cluster, that leads to the node itself.
func (m *member) adopt() error {
	nodes, err := library().ListInternalNodes(m.record.Kind)
	if err != nil || len(nodes) != 1 {
		return fmt.Errorf("%d nodes, want 1: %w", len(nodes), err)
	}
	ipv4, _, err := nodes[0].IP()
	if err != nil {
		return fmt.Errorf("address of the node: %w", err)
	}
	if m.record.Node, err = netip.ParseAddr(ipv4); err != nil {
		return fmt.Errorf("address of the node: %w", err)
	}
	raw, err := library().KubeConfig(m.record.Kind, true)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	content, err := kubeconfig(raw, m.record)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return os.WriteFile(m.Kubeconfig(), content, 0o600)
}

// kubeconfig names everything as the cluster and puts the node's address in
// place of its name, which only Docker knows.
func kubeconfig(raw string, c clusterRecord) ([]byte, error) {
	all, err := clientcmd.Load([]byte(raw))
	if err != nil {
		return nil, err
	}
	current, is := all.Contexts[all.CurrentContext]
	if !is || all.Clusters[current.Cluster] == nil || all.AuthInfos[current.AuthInfo] == nil {
		return nil, errors.New("kind's has no current context")
	}
	server, user := all.Clusters[current.Cluster], all.AuthInfos[current.AuthInfo]
	server.Server = fmt.Sprintf("https://%s:6443", c.Node)
	return clientcmd.Write(api.Config{
		Clusters:       map[string]*api.Cluster{c.Name: server},
		AuthInfos:      map[string]*api.AuthInfo{c.Name: user},
		Contexts:       map[string]*api.Context{c.Name: {Cluster: c.Name, AuthInfo: c.Name}},
		CurrentContext: c.Name,
	})
}
