package bench

import (
	"bytes"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures/pki"
)

// The root of the gateways' certificates is kept in the lab itself, so that
// every process that works on a lab that stays up speaks with certificates the
// gateways trust, whichever provider made the lab. It is a test's root: it
// guards nothing but Bookinfo.
const (
	authorityNamespace = "kube-system"
	authoritySecret    = "meshfed-test-authority"
	rootCertificate    = "root.crt"
	rootKey            = "root.key"
)

// authorityOf is the lab's authority.
type authorityOf struct {
	*pki.Authority
}

// authority is that of the lab whose first cluster is given; it is made if the
// lab has none yet.
func authority(ctx context.Context, first cluster.Cluster) (*authorityOf, error) {
	config, err := cluster.RESTConfig(first)
	if err != nil {
		return nil, err
	}
	pods, err := workload.New(config)
	if err != nil {
		return nil, err
	}
	secrets := pods.Kube().CoreV1().Secrets(authorityNamespace)
	stored, err := secrets.Get(ctx, authoritySecret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		var fresh *corev1.Secret
		if fresh, err = newAuthority(); err != nil {
			return nil, err
		}
		stored, err = secrets.Create(ctx, fresh, metav1.CreateOptions{FieldManager: fieldManager})
		if apierrors.IsAlreadyExists(err) {
			// Another run was a moment faster: its root counts.
			stored, err = secrets.Get(ctx, authoritySecret, metav1.GetOptions{})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority in secret %s/%s: %w", authorityNamespace, authoritySecret, err)
	}
	return openAuthority(stored)
}

// newAuthority makes a root and wraps it as a Secret.
func newAuthority() (*corev1.Secret, error) {
	root, err := pki.New(pki.Options{})
	if err != nil {
		return nil, err
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: authoritySecret, Namespace: authorityNamespace},
		Data:       map[string][]byte{rootCertificate: root.RootPEM(), rootKey: root.KeyPEM()},
	}, nil
}

func openAuthority(stored *corev1.Secret) (*authorityOf, error) {
	root, err := pki.Parse(stored.Data[rootCertificate], stored.Data[rootKey])
	if err != nil {
		return nil, fmt.Errorf("certificate authority in secret %s/%s: %w", authorityNamespace, authoritySecret, err)
	}
	return &authorityOf{root}, nil
}

// missingSecrets are the secrets of a cluster's gateways, unless those that are
// there stem from this authority: new ones would only make the gateways load
// certificates again while a scenario runs.
func (a *authorityOf) missingSecrets(ctx context.Context, pods *workload.Client, name string) ([]*unstructured.Unstructured, error) {
	bundle, err := a.Bundle(name)
	if err != nil {
		return nil, err
	}
	var missing []*unstructured.Unstructured
	for _, secret := range bundle.Secrets() {
		there, err := pods.Kube().CoreV1().Secrets(secret.GetNamespace()).Get(ctx, secret.GetName(), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, secret)
		case err != nil:
			return nil, fmt.Errorf("secret %s/%s: %w", secret.GetNamespace(), secret.GetName(), err)
		case !bytes.Equal(there.Data["ca.crt"], a.RootPEM()):
			missing = append(missing, secret)
		}
	}
	return missing, nil
}
