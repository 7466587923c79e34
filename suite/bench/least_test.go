package bench_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authentication "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/existing"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench"
)

const tester = "meshfed-tester"

// printed are the rights that `conformance doctor --provider existing` prints;
// those to make namespaces, which are optional, are left out.
func printed() []access.Right {
	all := append(bench.Rights(), builtin.Rights("default", "bookinfo")...)
	return slices.DeleteFunc(all, func(r access.Right) bool { return r.Optional && r.Resource == "namespaces" })
}

func kubeOf(t *testing.T, c cluster.Cluster) (kubernetes.Interface, *manifest.Client) {
	t.Helper()
	config, err := cluster.RESTConfig(c)
	require.NoError(t, err)
	kube, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	applier, err := manifest.New(config)
	require.NoError(t, err)
	return kube, applier
}

// employ makes a ServiceAccount that has those rights and no others, and adds
// a context for it to a kubeconfig.
func employ(t *testing.T, c cluster.Cluster, into *api.Config) {
	t.Helper()
	kube, applier := kubeOf(t, c)
	grant := access.Grant{
		Name: tester, Subject: rbac.Subject{Kind: rbac.ServiceAccountKind, Namespace: metav1.NamespaceDefault, Name: tester},
		Rights: printed(), Namespaces: bench.Namespaces(),
	}
	text, err := grant.YAML()
	require.NoError(t, err)
	objects, err := manifest.Decode("grant", []byte(text))
	require.NoError(t, err)
	account := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": tester, "namespace": metav1.NamespaceDefault},
	}}
	objects = append(objects, account)
	require.NoError(t, applier.Apply(t.Context(), objects, manifest.ApplyOptions{FieldManager: tester}))
	t.Cleanup(func() {
		roles := slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Namespace" })
		assert.NoError(t, applier.Delete(context.WithoutCancel(t.Context()), roles))
	})
	token, err := kube.CoreV1().ServiceAccounts(metav1.NamespaceDefault).
		CreateToken(t.Context(), tester, &authentication.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	admin, err := clientcmd.LoadFromFile(c.Kubeconfig())
	require.NoError(t, err)
	server := admin.Clusters[admin.Contexts[admin.CurrentContext].Cluster]
	into.Clusters[c.Name()] = server
	into.AuthInfos[c.Name()] = &api.AuthInfo{Token: token.Status.Token}
	into.Contexts[c.Name()] = &api.Context{Cluster: c.Name(), AuthInfo: c.Name()}
}

// strip takes away what a lab has of the harness, so that whoever comes next
// has to bring all of it.
func strip(t *testing.T, lab cluster.Lab) {
	t.Helper()
	for i, c := range lab.Clusters() {
		_, applier := kubeOf(t, c)
		objects, err := fixtures.Manifests(c.Name(), fixtures.Options{})
		require.NoError(t, err)
		objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Namespace" })
		secrets := [][2]string{
			{pki.Namespace, pki.SecretName(c.Name(), pki.EgressSide)}, {pki.Namespace, pki.SecretName(c.Name(), pki.IngressSide)},
			{pki.Namespace, pki.SeedSecretName(c.Name())},
		}
		if i == 0 {
			secrets = append(secrets, [2]string{"meshfed-conformance", "meshfed-test-authority"})
		}
		for _, s := range secrets {
			objects = append(objects, &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": s[0], "name": s[1]},
			}})
		}
		require.NoError(t, applier.Delete(t.Context(), objects))
	}
}

// asTester opens a lab through contexts of those accounts alone.
func asTester(t *testing.T, lab cluster.Lab) (*existing.Provider, cluster.Lab) {
	t.Helper()
	config := api.NewConfig()
	options := existing.Options{Gateways: map[string]cluster.GatewayAddress{}, Rights: printed(), Namespaces: bench.Namespaces()}
	for _, c := range lab.Clusters() {
		employ(t, c, config)
		options.Contexts = append(options.Contexts, existing.Context{Name: c.Name(), Context: c.Name()})
		address, err := c.Gateway(t.Context(), cluster.GatewayRef{Namespace: pki.Namespace, Service: "istio-private-ingressgateway", Port: 15443})
		require.NoError(t, err)
		options.Gateways[c.Name()] = address
	}
	options.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, options.Kubeconfig))
	provider, err := existing.New(options)
	require.NoError(t, err)
	borrowed, err := provider.Open(t.Context(), "")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, borrowed.Delete(context.WithoutCancel(t.Context()))) })
	return provider, borrowed
}

// The RBAC that doctor prints is all that a run needs: it is given to a
// ServiceAccount that may make no namespaces, and the run finds clusters with
// nothing of the harness on them.
func TestTheRightsThatDoctorPrintsAreEnough(t *testing.T) {
	if os.Getenv("MESHFED_LEAST") == "" {
		t.Skip("it takes what is deployed off the lab that is up and brings it back; MESHFED_LEAST=1 allows that")
	}
	lab := openLab(t)
	provider, borrowed := asTester(t, lab)
	strip(t, lab)
	t.Cleanup(func() { assert.NoError(t, bench.Deploy(context.WithoutCancel(t.Context()), lab)) })

	kube, _ := kubeOf(t, borrowed.Clusters()[0])
	_, err := kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "not-allowed"}}, metav1.CreateOptions{})
	require.True(t, apierrors.IsForbidden(err), "may it make namespaces? %v", err)
	_, err = kube.CoreV1().Secrets("istio-system").List(t.Context(), metav1.ListOptions{})
	require.True(t, apierrors.IsForbidden(err), "may it read the control plane's secrets? %v", err)
	require.NoError(t, provider.Doctor(t.Context(), io.Discard))

	e := builtin.New("")
	s := suite.Suite{
		Features: features.FS, Selection: suite.Selection{Tags: "@core and (@expose or @consume)"},
		Capabilities: suite.Capabilities{Known: engine.Words(engine.Capabilities()), Declared: engine.Words(e.Capabilities())},
		Out:          t.TempDir(), ID: "run",
		Prepare: func(ctx context.Context) (suite.Bench, error) {
			if err := bench.Deploy(ctx, borrowed); err != nil {
				return nil, err
			}
			return bench.New(ctx, borrowed, e)
		},
	}
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	assert.NoError(t, bench.Undeploy(context.WithoutCancel(t.Context()), borrowed))
	t.Log(report.Line())
	var faults []string
	for _, one := range report.Scenarios {
		if one.Verdict != reports.Passed && one.Verdict != reports.KnownGap && one.Verdict != reports.Skipped {
			faults = append(faults, fmt.Sprintf("%s: %s: %s", one.Verdict, one.ID, one.Reason))
		}
	}
	assert.Empty(t, faults)
	assert.Equal(t, reports.ExitGreen, report.ExitCode(), report.Line())
	assert.NotEmpty(t, report.Scenarios, "a run of nothing needs no rights")
}
