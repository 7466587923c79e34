package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorization "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/manifest"
)

// server answers as one that allows these words ("get pods/exec ns name").
func server(allowed ...string) (*fake.Clientset, *[]string) {
	client := fake.NewClientset()
	var asked []string
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		review := a.(clienttesting.CreateAction).GetObject().(*authorization.SelfSubjectAccessReview)
		r := review.Spec.ResourceAttributes
		resource := strings.TrimSuffix(r.Resource+"/"+r.Subresource, "/")
		word := strings.TrimSpace(r.Verb + " " + resource + " " + r.Namespace + " " + r.Name)
		asked = append(asked, word)
		review.Status.Allowed = slices.Contains(allowed, word)
		return true, review, nil
	})
	return client, &asked
}

func TestOnlyTheVerbsThatAreRefusedAreMissing(t *testing.T) {
	client, _ := server("get pods/exec ns", "get namespaces  bookinfo", "create namespaces")
	missing, err := access.Missing(t.Context(), client, []access.Right{
		{Namespace: "ns", Resource: "pods/exec", Verbs: []string{"get", "create"}, Why: "to send"},
		{Resource: "namespaces", Names: []string{"bookinfo"}, Verbs: []string{"get", "create"}},
		{Resource: "namespaces", Names: []string{"bookinfo", "own"}, Verbs: []string{"get"}},
	})
	require.NoError(t, err)
	assert.Equal(t, []access.Right{
		{Namespace: "ns", Resource: "pods/exec", Verbs: []string{"create"}, Why: "to send"},
		{Resource: "namespaces", Names: []string{"bookinfo", "own"}, Verbs: []string{"get"}},
	}, missing)
	assert.Equal(t, "create pods/exec in ns", missing[0].String())
	assert.Equal(t, "get namespaces bookinfo,own in the whole cluster", missing[1].String())
}

func TestAServerThatDoesNotAnswerGrantsNothing(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, assert.AnError
	})
	_, err := access.Missing(t.Context(), client, []access.Right{{Resource: "pods", Verbs: []string{"list"}}})
	require.ErrorContains(t, err, "list pods in the whole cluster")
}

func TestAGrantIsARoleForEachNamespaceAndOneForTheCluster(t *testing.T) {
	text, err := access.Grant{
		Name:       "tester",
		Subject:    rbac.Subject{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: "jane"},
		Namespaces: []corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "own"}}},
		Rights: []access.Right{
			{Namespace: "own", Group: "apps", Resource: "deployments", Verbs: []string{"get"}},
			{Resource: "namespaces", Names: []string{"own"}, Verbs: []string{"get", "create"}},
		},
	}.YAML()
	require.NoError(t, err)
	objects, err := manifest.Decode("grant", []byte(text))
	require.NoError(t, err)
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, strings.TrimSpace(o.GetKind()+" "+o.GetNamespace()))
	}
	assert.Equal(t, []string{"Namespace", "ClusterRole", "ClusterRoleBinding", "Role own", "RoleBinding own"}, kinds)

	var cluster rbac.ClusterRole
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(objects[1].Object, &cluster))
	assert.Equal(t, []rbac.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get"}, ResourceNames: []string{"own"}},
	}, cluster.Rules, "RBAC grants no create by name")
	var binding rbac.RoleBinding
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(objects[4].Object, &binding))
	assert.Equal(t, rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: "tester"}, binding.RoleRef)
	assert.Equal(t, "jane", binding.Subjects[0].Name)
}
