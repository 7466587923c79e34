package reach

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/traffic/link"
)

// relay is the name of the workload in which a link between meshes is.
const relay = "meshfed-link"

// Between is a link from one mesh to the gateway of another, in a pod of the
// first that has no part in the mesh: the gateway there, and nothing else,
// verifies whom it has reached. It is not for two at once from one mesh.
type Between struct {
	*link.Remote
	mesh       Mesh
	host, port string
}

// Between opens a link.
func (r *Reach) Between(ctx context.Context, from, to string) (*Between, error) {
	m, err := r.mesh(from)
	if err != nil {
		return nil, err
	}
	address, err := r.address(ctx, to)
	if err != nil {
		return nil, err
	}
	b := &Between{mesh: m, port: strconv.Itoa(int(istio.IngressPort))}
	if err := b.open(ctx, address.Peers); err != nil {
		_ = b.remove(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("link from %s to %s: %w", from, to, err)
	}
	return b, nil
}

// Address is where the link begins, as seen from its mesh.
func (b *Between) Address() (host, port string) { return b.host, b.port }

// Close ends the link and takes its workload away.
func (b *Between) Close(ctx context.Context) error {
	b.Remote.Close()
	return b.remove(ctx)
}

func (b *Between) open(ctx context.Context, upstream string) error {
	deployments := b.mesh.Pods.Kube().AppsV1().Deployments(metav1.NamespaceDefault)
	model, err := deployments.Get(ctx, "sleep", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the workload that it is made after: %w", err)
	}
	// One that is left of a run that was killed does as well.
	if _, err := deployments.Create(ctx, relayLike(model), metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create deployment %s: %w", relay, err)
	}
	if err := b.mesh.Pods.WaitDeployments(ctx, types.NamespacedName{Namespace: metav1.NamespaceDefault, Name: relay}); err != nil {
		return err
	}
	pod, err := b.mesh.Pods.Pick(ctx, pods())
	if err != nil {
		return err
	}
	b.host = pod.Status.PodIP
	b.Remote, err = link.Reach(ctx, func(ctx context.Context, in io.Reader, out io.Writer) error {
		code, err := b.mesh.Pods.ExecIn(ctx, pod, relay, []string{fixtures.Binary, "link", "--listen", net.JoinHostPort("", b.port), "--to", upstream},
			cluster.Streams{In: in, Out: out, Err: io.Discard})
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d", code)
		}
		return err
	})
	return err
}

// relayLike is the workload of a link, made after sleep: its image is one that the
// cluster has, and its account one that may run there.
func relayLike(model *appsv1.Deployment) *appsv1.Deployment {
	labels := map[string]string{"app": relay}
	pod := *model.Spec.Template.Spec.DeepCopy()
	pod.Containers = pod.Containers[:1]
	pod.Containers[0].Name = relay
	of := maps.Clone(labels)
	of["sidecar.istio.io/inject"] = "false"
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: relay, Namespace: metav1.NamespaceDefault, Labels: labels},
		Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](1), Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}
	d.Spec.Template.Labels, d.Spec.Template.Spec = of, pod
	return d
}

func (b *Between) remove(ctx context.Context) error {
	err := b.mesh.Pods.Kube().AppsV1().Deployments(metav1.NamespaceDefault).
		Delete(ctx, relay, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete deployment %s: %w", relay, err)
	}
	// The next link must not find the pod of this one.
	return b.mesh.Pods.WaitGone(ctx, pods())
}

// pods are those of links.
func pods() workload.Ref {
	return workload.Ref{Namespace: metav1.NamespaceDefault, Selector: "app=" + relay}
}
