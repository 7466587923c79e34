package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/fixtures/pki"
)

// loanLabel is on everything that a run puts on clusters that are somebody's.
// What has it is removed by Undeploy, also if a run that was killed has left it;
// what lacks it is never touched.
const loanLabel = "meshfed.io/removed-after-run"

// injectLabel asks for a sidecar for one pod, so that no namespace that was
// there has to be labelled.
const injectLabel = "sidecar.istio.io/inject"

// reader reads live objects; see manifest.Client.
type reader interface {
	Get(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error)
}

// lend are those of the objects that a borrowed cluster lacks, marked as a
// loan. Objects of the fixtures that its owner has put there stay as they are;
// something else under such a name is an error, and nothing is written.
func lend(ctx context.Context, live reader, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var wanted []*unstructured.Unstructured
	for _, object := range objects {
		there, err := live.Get(ctx, object)
		switch {
		case meta.IsNoMatchError(err):
			return nil, fmt.Errorf("the cluster knows no %s: install Istio first: %w", object.GetKind(), err)
		case err == nil && there.GetLabels()[loanLabel] == "":
			if err := acceptable(there); err != nil {
				return nil, err
			}
			continue
		case err != nil && !apierrors.IsNotFound(err):
			return nil, err
		}
		marked := object.DeepCopy()
		if err := mark(marked); err != nil {
			return nil, err
		}
		wanted = append(wanted, marked)
	}
	return wanted, nil
}

// acceptable says whether an object that somebody has made can be used as the
// fixture of its name.
func acceptable(there *unstructured.Unstructured) error {
	if kind := there.GetKind(); kind == "Namespace" || kind == "ServiceAccount" {
		return nil
	}
	ours := func(f metav1.ManagedFieldsEntry) bool { return f.Manager == fieldManager }
	if there.GetKind() != "Secret" && slices.ContainsFunc(there.GetManagedFields(), ours) {
		return nil
	}
	return fmt.Errorf("%s %s/%s is somebody's and in the way: the features need that name; rename it, or delete it",
		there.GetKind(), there.GetNamespace(), there.GetName())
}

func mark(object *unstructured.Unstructured) error {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[loanLabel] = "true"
	object.SetLabels(labels)
	if object.GroupVersionKind() != appsv1.SchemeGroupVersion.WithKind("Deployment") {
		return nil
	}
	return unstructured.SetNestedField(object.Object, "true", "spec", "template", "metadata", "labels", injectLabel)
}

// checkMesh says at once what no waiting would bring: a borrowed cluster's owner
// installs the mesh and its private gateways.
func checkMesh(ctx context.Context, pods *workload.Client) error {
	for _, gateway := range gateways() {
		_, err := pods.Kube().AppsV1().Deployments(gateway.Namespace).Get(ctx, gateway.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("there is no private gateway (deployment %s): install the mesh and its private gateways first; the harness does not", gateway)
		}
		if err != nil {
			return fmt.Errorf("private gateway %s: %w", gateway, err)
		}
	}
	return nil
}

// checkInjected says which pod of the fixtures is in no mesh.
func checkInjected(ctx context.Context, pods *workload.Client, objects []*unstructured.Unstructured) error {
	for _, name := range deployments(objects) {
		d, err := pods.Kube().AppsV1().Deployments(name.Namespace).Get(ctx, name.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("deployment %s: %w", name, err)
		}
		all, err := pods.Pods(ctx, workload.Ref{Namespace: name.Namespace, Selector: metav1.FormatLabelSelector(d.Spec.Selector)})
		if err != nil {
			return err
		}
		for i := range all {
			if !injected(&all[i]) {
				return fmt.Errorf("pod %s/%s has no sidecar: does istiod's webhook inject pods with the label %s=true there?",
					name.Namespace, all[i].Name, injectLabel)
			}
		}
	}
	return nil
}

// injected knows both ways to run a sidecar: beside, and as an init container
// that goes on.
func injected(pod *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers), func(c corev1.Container) bool {
		return c.Name == istio.ProxyContainer
	})
}

// Undeploy removes from borrowed clusters what Deploy and New have put there,
// this time or before a run was killed, and waits until it is gone. What was
// there before stays. Other labs are left alone: they go as a whole.
func Undeploy(ctx context.Context, lab cluster.Lab) error {
	if !cluster.Borrowed(lab) {
		return nil
	}
	clusters := lab.Clusters()
	errs := make([]error, len(clusters))
	var all errgroup.Group
	for i, c := range clusters {
		all.Go(func() error {
			if err := undeploy(ctx, c); err != nil {
				errs[i] = fmt.Errorf("remove what was deployed on %s (it has the label %s): %w", c.Name(), loanLabel, err)
			}
			return nil
		})
	}
	_ = all.Wait()
	return errors.Join(errs...)
}

func undeploy(ctx context.Context, c cluster.Cluster) error {
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return err
	}
	client, err := manifest.New(config)
	if err != nil {
		return err
	}
	objects, err := lendable(c.Name())
	if err != nil {
		return err
	}
	left, ownErr := owned(ctx, client)
	marked, err := loans(ctx, client, objects)
	return errors.Join(ownErr, err, client.Delete(ctx, append(left, marked...)))
}

// lendable are all objects that may have been lent to a cluster, by name.
func lendable(name string) ([]*unstructured.Unstructured, error) {
	objects, err := fixtures.Manifests(name, fixtures.Options{})
	if err != nil {
		return nil, err
	}
	for _, secret := range []string{pki.SecretName(name, pki.EgressSide), pki.SecretName(name, pki.IngressSide), pki.SeedSecretName(name)} {
		objects = append(objects, objectOf("Secret", pki.Namespace, secret))
	}
	return append(objects, objectOf("Secret", ownNamespace, authoritySecret), objectOf("Namespace", "", ownNamespace)), nil
}

func objectOf(kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("v1")
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// loans are those of the objects that are there and marked. One that cannot be
// read is in the error, and does not keep the others from being removed.
func loans(ctx context.Context, live reader, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var marked []*unstructured.Unstructured
	var errs []error
	for _, object := range objects {
		there, err := live.Get(ctx, object)
		switch {
		case err == nil && there.GetLabels()[loanLabel] != "":
			marked = append(marked, object)
		case err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err):
			errs = append(errs, err)
		}
	}
	return marked, errors.Join(errs...)
}
