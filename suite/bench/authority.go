package bench

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures/pki"
)

// The root of the gateways' certificates is kept in the lab itself, so that
// every process that works on a lab that stays up speaks with certificates the
// gateways trust, whichever provider made the lab. It is a test's root: it
// guards nothing but Bookinfo.
const (
	// ownNamespace holds what the harness keeps in a lab's first cluster for
	// itself.
	ownNamespace    = "meshfed-conformance"
	authoritySecret = "meshfed-test-authority"
	rootCertificate = "root.crt"
	rootKey         = "root.key"
)

// authorityOf is the lab's authority.
type authorityOf struct {
	*pki.Authority
}

// authority is that of the lab; it is made if the lab has none yet.
func authority(ctx context.Context, lab cluster.Lab) (*authorityOf, error) {
	return authorityOr(ctx, lab, storeAuthority)
}

// authorityThere is that of a lab which Deploy has prepared; none is an error.
func authorityThere(ctx context.Context, lab cluster.Lab) (*authorityOf, error) {
	return authorityOr(ctx, lab, func(context.Context, kubernetes.Interface, map[string]string) (*corev1.Secret, error) {
		return nil, errors.New("there is none: nothing is deployed for the features; `conformance run --keep` leaves it there")
	})
}

func authorityOr(ctx context.Context, lab cluster.Lab,
	instead func(context.Context, kubernetes.Interface, map[string]string) (*corev1.Secret, error),
) (*authorityOf, error) {
	config, err := cluster.RESTConfig(lab.Clusters()[0])
	if err != nil {
		return nil, err
	}
	pods, err := workload.New(config)
	if err != nil {
		return nil, err
	}
	stored, err := pods.Kube().CoreV1().Secrets(ownNamespace).Get(ctx, authoritySecret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		stored, err = instead(ctx, pods.Kube(), ownLabels(lab))
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority in secret %s/%s: %w", ownNamespace, authoritySecret, explained(err))
	}
	return openAuthority(stored)
}

// ownLabels are on what the harness keeps in a lab for itself.
func ownLabels(lab cluster.Lab) map[string]string {
	labels := map[string]string{"app.kubernetes.io/managed-by": fieldManager}
	if cluster.Borrowed(lab) {
		labels[loanLabel] = "true"
	}
	return labels
}

// storeAuthority makes a root and keeps it as a Secret.
func storeAuthority(ctx context.Context, client kubernetes.Interface, labels map[string]string) (*corev1.Secret, error) {
	root, err := pki.New(pki.Options{})
	if err != nil {
		return nil, err
	}
	if err := ensureNamespace(ctx, client, labels); err != nil {
		return nil, err
	}
	secrets := client.CoreV1().Secrets(ownNamespace)
	stored, err := secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: authoritySecret, Namespace: ownNamespace, Labels: labels},
		Data:       map[string][]byte{rootCertificate: root.RootPEM(), rootKey: root.KeyPEM()},
	}, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		// Another run was a moment faster: its root counts.
		return secrets.Get(ctx, authoritySecret, metav1.GetOptions{})
	}
	return stored, err
}

// ensureNamespace makes the harness's own namespace. Whoever may make none has
// it made beforehand.
func ensureNamespace(ctx context.Context, client kubernetes.Interface, labels map[string]string) error {
	namespaces := client.CoreV1().Namespaces()
	if _, err := namespaces.Get(ctx, ownNamespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return err
	}
	fresh := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ownNamespace, Labels: labels}}
	if _, err := namespaces.Create(ctx, fresh, metav1.CreateOptions{FieldManager: fieldManager}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the namespace %s, or have it made by `kubectl create namespace %s`: %w", ownNamespace, ownNamespace, err)
	}
	return nil
}

func openAuthority(stored *corev1.Secret) (*authorityOf, error) {
	root, err := pki.Parse(stored.Data[rootCertificate], stored.Data[rootKey])
	if err != nil {
		return nil, fmt.Errorf("certificate authority in secret %s/%s: %w", ownNamespace, authoritySecret, err)
	}
	return &authorityOf{root}, nil
}

// missingSecrets are the secrets of a cluster's gateways, unless those that are
// there are as good: new ones would only make the gateways load certificates
// again while a scenario runs.
func (a *authorityOf) missingSecrets(ctx context.Context, kube kubernetes.Interface, name string) ([]*unstructured.Unstructured, error) {
	bundle, err := a.Bundle(name)
	if err != nil {
		return nil, err
	}
	var missing []*unstructured.Unstructured
	for _, secret := range bundle.Secrets() {
		there, err := kube.CoreV1().Secrets(secret.GetNamespace()).Get(ctx, secret.GetName(), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, secret)
		case err != nil:
			return nil, fmt.Errorf("secret %s/%s: %w", secret.GetNamespace(), secret.GetName(), err)
		case !a.good(there):
			missing = append(missing, secret)
		}
	}
	return missing, nil
}

// good says whether a gateway's secret is what this authority would make: a
// killed run may have left one that has expired, or that revokes others.
func (a *authorityOf) good(secret *corev1.Secret) bool {
	if _, revokes := secret.Data["ca.crl"]; revokes || !bytes.Equal(secret.Data["ca.crt"], a.RootPEM()) {
		return false
	}
	block, _ := pem.Decode(secret.Data["tls.crt"])
	if block == nil {
		return false
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}
