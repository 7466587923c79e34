package bench

import (
	"context"
	"encoding/base64"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/fixtures/pki"
)

// List finds what has the label.
func (l live) List(_ context.Context, kind schema.GroupVersionKind, namespace, label string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, there := range l {
		o, is := there.(*unstructured.Unstructured)
		if is && o.GroupVersionKind() == kind && o.GetNamespace() == namespace && o.GetLabels()[label] != "" {
			all = append(all, o)
		}
	}
	return all, nil
}

var theirs = regexp.MustCompile(`(?s)the owner of c\d has in the mesh:\s*"""(?:yaml)?\n(.*?)"""`)

// Whatever a feature has an owner apply, the next run finds it if this one is killed.
func TestEverythingThatOwnersApplyIsFoundAgain(t *testing.T) {
	var all []*unstructured.Unstructured
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	for _, file := range files {
		text, err := fs.ReadFile(features.FS, file)
		require.NoError(t, err)
		for _, m := range theirs.FindAllSubmatch(text, -1) {
			objects, err := manifest.Decode(file, dedent(string(m[1])))
			require.NoError(t, err, file)
			all = append(all, objects...)
		}
	}
	require.GreaterOrEqual(t, len(all), 9, "the features' own")
	later, err := fixtures.Later("c1", "reviews", "v2", fixtures.Options{})
	require.NoError(t, err)
	all = append(all, later...)
	all = append(all, objectOf("Secret", pki.Namespace, pki.OwnSecretName("c1")))
	there, stranger := live{}, objectOf("ConfigMap", pki.Namespace, "stranger")
	there[key(stranger)] = stranger
	for _, o := range all {
		own(o)
		there[key(o)] = o
	}
	found, err := owned(t.Context(), there)
	require.NoError(t, err)
	delete(there, key(stranger))
	var want [][3]string
	for name := range there {
		want = append(want, name)
	}
	assert.ElementsMatch(t, want, namesOf(found))
}

// dedent takes a doc string's margin away.
func dedent(text string) []byte {
	margin := len(text) - len(strings.TrimLeft(text, " "))
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(line[min(margin, len(line)-len(strings.TrimLeft(line, " "))):])
	}
	return []byte(out.String())
}

func TestSecretsThatAKilledRunHasLeftAreMadeAgain(t *testing.T) {
	root, err := pki.New(pki.Options{})
	require.NoError(t, err)
	a := &authorityOf{root}
	other, err := pki.New(pki.Options{})
	require.NoError(t, err)
	issue := func(by *pki.Authority, l pki.Leaf) *pki.Credential {
		c, err := by.Issue(l)
		require.NoError(t, err)
		return c
	}
	crl, err := root.CRL()
	require.NoError(t, err)
	name := pki.SecretName("c2", pki.IngressSide)
	mixed := issue(other, pki.Ingress("c2"))
	mixed.RootPEM = root.RootPEM()
	for what, c := range map[string]struct {
		secret *unstructured.Unstructured
		made   bool
	}{
		"as it was deployed":            {pki.Secret(name, issue(root, pki.Ingress("c2"))), false},
		"expired":                       {pki.Secret(name, issue(root, pki.Ingress("c2").Expired(time.Now()))), true},
		"not yet valid":                 {pki.Secret(name, issue(root, pki.Ingress("c2").NotYetValid(time.Now()))), true},
		"with a revocation list":        {pki.WithCRL(pki.Secret(name, issue(root, pki.Ingress("c2"))), crl), true},
		"of another root":               {pki.Secret(name, issue(other, pki.Ingress("c2"))), true},
		"signed by another for no root": {pki.Secret(name, mixed), true},
		"without a certificate":         {pki.Secret(name, &pki.Credential{RootPEM: root.RootPEM()}), true},
	} {
		t.Run(what, func(t *testing.T) {
			bundle, err := root.Bundle("c2")
			require.NoError(t, err)
			client := fake.NewClientset()
			for _, s := range append([]*unstructured.Unstructured{c.secret}, bundle.Secrets()...) {
				if s != c.secret && s.GetName() == name {
					continue
				}
				_, err := client.CoreV1().Secrets(pki.Namespace).Create(t.Context(), typed(t, s), metav1.CreateOptions{})
				require.NoError(t, err)
			}
			missing, err := a.missingSecrets(t.Context(), client, "c2")
			require.NoError(t, err)
			if !c.made {
				assert.Empty(t, missing)
				return
			}
			assert.Equal(t, [][3]string{{"Secret", pki.Namespace, name}}, namesOf(missing))
		})
	}
}

func typed(t *testing.T, o *unstructured.Unstructured) *corev1.Secret {
	t.Helper()
	text, _, err := unstructured.NestedStringMap(o.Object, "data")
	require.NoError(t, err)
	data := map[string][]byte{}
	for k, v := range text {
		data[k], err = base64.StdEncoding.DecodeString(v)
		require.NoError(t, err)
	}
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: o.GetName()}, Data: data}
}
