package existing_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorization "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/existing"
)

func TestContextsAndGatewaysAreReadOrRefused(t *testing.T) {
	contexts, err := existing.ParseContexts([]string{"c2=two", "c1=arn:aws:eks:eu:1:cluster/a=b"})
	require.NoError(t, err)
	assert.Equal(t, []existing.Context{{Name: "c2", Context: "two"}, {Name: "c1", Context: "arn:aws:eks:eu:1:cluster/a=b"}}, contexts)
	gateways, err := existing.ParseGateways([]string{"c1=gw.example.com:15443", "c2=10.0.0.1:443,[::1]:8443"})
	require.NoError(t, err)
	assert.Equal(t, map[string]cluster.GatewayAddress{
		"c1": {Peers: "gw.example.com:15443", Harness: "gw.example.com:15443"},
		"c2": {Peers: "10.0.0.1:443", Harness: "[::1]:8443"},
	}, gateways)

	for word, says := range map[string]string{
		"":       "no contexts",
		"c1":     "want NAME=CONTEXT",
		"c1=":    "want NAME=CONTEXT",
		"C_1=x":  "lower-case letters",
		"c1=a c": "named twice",
	} {
		words := strings.Fields(word)
		if strings.Contains(word, " ") {
			words = []string{"c1=a", "c1=c"}
		}
		_, err := existing.ParseContexts(words)
		assert.ErrorContains(t, err, says, word)
	}
	for word, says := range map[string]string{
		"c1":                 "want NAME=HOST:PORT",
		"c1=host":            `address "host"`,
		"c1=:80":             "want a host",
		"c1=host:0":          "from 1 to 65535",
		"c1=host:70000":      "from 1 to 65535",
		"c1=host:1,":         `address ""`,
		"c1=host:1,h:http":   "from 1 to 65535",
		"c1=http://host:443": "HOST:PORT",
	} {
		_, err := existing.ParseGateways([]string{word})
		assert.ErrorContains(t, err, says, word)
	}
	_, err = existing.ParseGateways([]string{"c1=a:1", "c1=b:2"})
	assert.ErrorContains(t, err, "has one already")
}

// kubeconfig has two contexts, the first with a token in a file.
func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.crt"), []byte("an authority"), 0o600))
	path := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `
apiVersion: v1
kind: Config
clusters:
- {name: here, cluster: {server: %q}}
- {name: there, cluster: {server: "https://there.example", certificate-authority: ca.crt}}
users:
- {name: jane, user: {token: janes-token}}
- {name: joe, user: {token: joes-token}}
contexts:
- {name: one, context: {cluster: here, user: jane}}
- {name: two, context: {cluster: there, user: joe}}
- {name: broken, context: {cluster: nowhere, user: joe}}
`, server), 0o600))
	return path
}

func open(t *testing.T, o existing.Options) cluster.Lab {
	t.Helper()
	p, err := existing.New(o)
	require.NoError(t, err)
	lab, err := p.Open(t.Context(), "whatever")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, lab.Delete(t.Context())) })
	return lab
}

func TestEachClusterGetsItsOwnContextAndNobodyElses(t *testing.T) {
	o := existing.Options{Kubeconfig: kubeconfig(t, "https://here.example"), Contexts: []existing.Context{{Name: "c1", Context: "one"}, {Name: "c2", Context: "two"}}}
	lab := open(t, o)
	assert.True(t, cluster.Borrowed(lab))
	assert.Equal(t, lab.Name(), open(t, o).Name(), "the same clusters are the same lab")
	require.NoError(t, cluster.ValidateName("lab", lab.Name()))
	turned := open(t, existing.Options{Kubeconfig: o.Kubeconfig, Contexts: []existing.Context{{Name: "c1", Context: "two"}, {Name: "c2", Context: "one"}}})
	places := lab.(cluster.Borrower).Places()
	assert.Len(t, places, 2)
	assert.Equal(t, places, turned.(cluster.Borrower).Places(), "whatever they are called")
	twice := open(t, existing.Options{Kubeconfig: o.Kubeconfig, Contexts: []existing.Context{{Name: "c1", Context: "one"}, {Name: "c2", Context: "one"}}})
	assert.Len(t, twice.(cluster.Borrower).Places(), 1)
	assert.Subset(t, places, twice.(cluster.Borrower).Places())

	c2, err := lab.Cluster("c2")
	require.NoError(t, err)
	info, err := os.Stat(c2.Kubeconfig())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	config, err := clientcmd.LoadFromFile(c2.Kubeconfig())
	require.NoError(t, err)
	assert.Equal(t, "c2", config.CurrentContext)
	assert.Len(t, config.Contexts, 1)
	assert.Equal(t, []byte("an authority"), config.Clusters["c2"].CertificateAuthorityData, "files are taken in")
	raw, err := os.ReadFile(c2.Kubeconfig())
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "janes-token")

	_, err = lab.Cluster("c3")
	require.ErrorContains(t, err, "c1, c2")
	require.Error(t, lab.ExportLogs(t.Context(), t.TempDir()))
	require.NoError(t, lab.Delete(t.Context()))
	assert.NoFileExists(t, c2.Kubeconfig())
}

func TestWhatCannotBeOpenedIsSaidAndNothingIsLeft(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for context, says := range map[string]string{"three": "it has broken, one, two", "broken": "cannot locate cluster nowhere"} {
		p, err := existing.New(existing.Options{Kubeconfig: kubeconfig(t, "https://x"), Contexts: []existing.Context{{Name: "c1", Context: "one"}, {Name: "c2", Context: context}}})
		require.NoError(t, err)
		_, err = p.Open(t.Context(), "")
		require.ErrorContains(t, err, says)
	}
	left, err := filepath.Glob(filepath.Join(tmp, "meshfed-existing-*"))
	require.NoError(t, err)
	assert.Empty(t, left)

	_, err = existing.New(existing.Options{})
	require.ErrorContains(t, err, "no contexts")
	_, err = existing.New(existing.Options{Contexts: []existing.Context{{Name: "c1", Context: "one"}}, Gateways: map[string]cluster.GatewayAddress{"c7": {}}})
	require.ErrorContains(t, err, "gateway of c7: there are only the clusters c1")
	p, err := existing.New(existing.Options{Contexts: []existing.Context{{Name: "c1", Context: "one"}}})
	require.NoError(t, err)
	_, err = p.Create(t.Context(), "x", cluster.TopologyOf(1))
	require.ErrorContains(t, err, "makes no clusters")
}

// api plays an API server with one Service and one node, that allows to list
// pods and nothing else.
func api(t *testing.T, service corev1.Service) string {
	t.Helper()
	answer := func(o any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(o)
		}
	}
	mux := http.NewServeMux()
	service.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
	mux.HandleFunc("GET /api/v1/namespaces/gw/services/private", answer(service))
	mux.HandleFunc("GET /api/v1/nodes", answer(corev1.NodeList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "NodeList"}, Items: []corev1.Node{
		{Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0.7"}}}},
	}}))
	mux.HandleFunc("GET /version", answer(map[string]string{"gitVersion": "v1.36.3"}))
	mux.HandleFunc("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		// Whichever encoding the client prefers.
		decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		review, is := decoded.(*authorization.SelfSubjectAccessReview)
		if err != nil || !is {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		review.TypeMeta = metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"}
		review.Status.Allowed = review.Spec.ResourceAttributes.Resource == "pods"
		answer(review)(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAGatewaysAddressIsGivenOrItsServices(t *testing.T) {
	port := corev1.ServicePort{Port: 15443, NodePort: 30443}
	balanced := corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{Hostname: "lb.example.com"}}}
	for name, c := range map[string]struct {
		service corev1.Service
		given   map[string]cluster.GatewayAddress
		want    cluster.GatewayAddress
		says    string
	}{
		"given": {given: map[string]cluster.GatewayAddress{"c1": {Peers: "a:1", Harness: "b:2"}}, want: cluster.GatewayAddress{Peers: "a:1", Harness: "b:2"}},
		"a load balancer's": {
			service: corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{port}}, Status: corev1.ServiceStatus{LoadBalancer: balanced}},
			want:    cluster.GatewayAddress{Peers: "lb.example.com:15443", Harness: "lb.example.com:15443"},
		},
		"a node's": {
			service: corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{port}}},
			want:    cluster.GatewayAddress{Peers: "10.0.0.7:30443", Harness: "10.0.0.7:30443"},
		},
		"none":         {service: corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Ports: []corev1.ServicePort{{Port: 15443}}}}, says: "--gateway c1=HOST:PORT"},
		"another port": {service: corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}, says: "no port 15443"},
	} {
		t.Run(name, func(t *testing.T) {
			lab := open(t, existing.Options{Kubeconfig: kubeconfig(t, api(t, c.service)), Contexts: []existing.Context{{Name: "c1", Context: "one"}}, Gateways: c.given})
			got, err := lab.Clusters()[0].Gateway(t.Context(), cluster.GatewayRef{Namespace: "gw", Service: "private", Port: 15443})
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestTheDoctorSaysWhichRightsAreMissingAndPrintsThem(t *testing.T) {
	o := existing.Options{Kubeconfig: kubeconfig(t, api(t, corev1.Service{})), Contexts: []existing.Context{{Name: "c1", Context: "one"}}}
	o.Rights = []access.Right{
		{Resource: "pods", Verbs: []string{"list"}, Why: "to look"},
		{Namespace: "ns", Resource: "pods/exec", Verbs: []string{"create"}, Why: "to send"},
		{Resource: "nodes", Verbs: []string{"list"}, Optional: true, Why: "to know"},
	}
	p, err := existing.New(o)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, p.Doctor(t.Context(), &out), "what is optional stops nobody")
	assert.Contains(t, out.String(), "c1   missing, optional: list nodes in the whole cluster (to know)")
	assert.Contains(t, out.String(), "2 of 3 rights are there")
	assert.Contains(t, out.String(), "kind: ClusterRoleBinding")

	o.Rights[2].Optional = false
	p, err = existing.New(o)
	require.NoError(t, err)
	require.ErrorContains(t, p.Doctor(t.Context(), &out), "1 rights are missing")
}
