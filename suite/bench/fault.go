package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/reach"
	"github.com/meshfed/meshfed/traffic/link"
)

// faults implements steps.Faults.
type faults struct {
	meshes map[string]*mesh
	reach  *reach.Reach
	// borrowed: the clusters are somebody's, and nothing of them is broken.
	borrowed bool
}

var _ steps.Faults = (*faults)(nil)

// Break implements steps.Faults.
func (f *faults) Break(ctx context.Context, mesh string, what steps.Breakage) (func(context.Context) error, error) {
	m, known := f.meshes[mesh]
	if !known {
		return nil, fmt.Errorf("no mesh %q in this lab", mesh)
	}
	if trouble, is := troubles()[what]; is {
		return f.trouble(ctx, mesh, trouble)
	}
	if f.borrowed {
		return nil, fmt.Errorf("%w: cluster %s is somebody's, and links alone are broken there", steps.ErrCannotBreak, mesh)
	}
	parts := map[steps.Breakage]cluster.Part{steps.APIServerPaused: cluster.APIServer, steps.EtcdPaused: cluster.Etcd, steps.ClusterPaused: cluster.Everything}
	if part, is := parts[what]; is {
		return pause(ctx, m, part)
	}
	killed := map[steps.Breakage]cluster.Part{steps.APIServerKilled: cluster.APIServer, steps.EtcdKilled: cluster.Etcd}
	if part, is := killed[what]; is {
		return killPart(ctx, m, part)
	}
	if what == steps.EtcdDiskFull {
		return fillDisk(ctx, m)
	}
	pods := map[steps.Breakage]types.NamespacedName{
		steps.IngressKilled: {Namespace: istio.GatewayNamespace, Name: istio.IngressGateway},
		steps.ControlKilled: {Namespace: istio.SystemNamespace, Name: "istiod"},
		steps.EngineKilled:  {Namespace: "federator-system", Name: "federator"},
	}
	deployment, is := pods[what]
	if !is {
		return nil, fmt.Errorf("a fault %q: want one of %q", what, steps.Breakages())
	}
	return kill(ctx, m, deployment)
}

// troubles are those of links, by what the features call them.
func troubles() map[steps.Breakage]link.Trouble {
	return map[steps.Breakage]link.Trouble{steps.LinkCut: link.Cut, steps.LinkSlow: link.Slow, steps.LinkTorn: link.Torn}
}

// way implements steps.Way.
type way struct{ *reach.Between }

// Between implements steps.Faults. It works wherever the meshes are.
func (f *faults) Between(ctx context.Context, from, to string) (steps.Way, error) {
	b, err := f.reach.Between(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return way{b}, nil
}

// Break implements steps.Way.
func (w way) Break(_ context.Context, what steps.Breakage) (func(context.Context) error, error) {
	trouble, is := troubles()[what]
	if !is {
		return nil, fmt.Errorf("a link of which %q: want it cut, slowed or reset", what)
	}
	if err := w.Remote.Break(trouble); err != nil {
		return nil, err
	}
	return func(context.Context) error { return w.Heal() }, nil
}

func (f *faults) trouble(ctx context.Context, mesh string, t link.Trouble) (func(context.Context) error, error) {
	l, restore, err := f.reach.Through(ctx, mesh)
	if err != nil {
		return nil, err
	}
	if err := l.Break(t); err != nil {
		restore()
		return nil, err
	}
	return func(ctx context.Context) error {
		l.Heal(ctx)
		restore()
		return nil
	}, nil
}

func pause(ctx context.Context, m *mesh, part cluster.Part) (func(context.Context) error, error) {
	c, err := faulter(m, "pause "+string(part))
	if err != nil {
		return nil, err
	}
	resume, err := c.Pause(ctx, part)
	if err != nil {
		return nil, err
	}
	mend := func(ctx context.Context) error {
		if err := resume(); err != nil {
			return err
		}
		// The write that was tried may be carried out now.
		return m.awaitWrites(ctx)
	}
	short, cancel := context.WithTimeout(ctx, pausedLimit)
	defer cancel()
	if m.write(short, 1) == nil {
		return nil, errors.Join(fmt.Errorf("%w: cluster %s, %s", errPauseWrites, m.cluster.Name(), part), mend(ctx))
	}
	return mend, nil
}

// errPauseWrites is what is wrong with a pause that nobody would notice.
var errPauseWrites = errors.New("it is paused, and writes are carried out")

// pausedLimit is far more than a write takes where nothing is paused.
const pausedLimit = 500 * time.Millisecond

// kill ends the pods of a deployment at once, as if their processes had died. Its
// mending is that new ones are ready.
func kill(ctx context.Context, m *mesh, d types.NamespacedName) (func(context.Context) error, error) {
	deployment, err := m.pods.Kube().AppsV1().Deployments(d.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + d.Name})
	if err != nil {
		return nil, err
	}
	if len(deployment.Items) == 0 {
		return nil, fmt.Errorf("%w: cluster %s has no deployment %s", steps.ErrCannotBreak, m.cluster.Name(), d)
	}
	selector := metav1.FormatLabelSelector(deployment.Items[0].Spec.Selector)
	now := int64(0)
	err = m.pods.Kube().CoreV1().Pods(d.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("kill the pods of %s", d), err)
	}
	return func(ctx context.Context) error { return m.pods.WaitDeployments(ctx, d) }, nil
}
