package deploy_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshfed/meshfed/federator/deploy"
	"github.com/meshfed/meshfed/federator/internal/access"
)

const image = "registry.example/federator:1"

func objects(t *testing.T, o deploy.Options) []*unstructured.Unstructured {
	t.Helper()
	o.Image = image
	out, err := deploy.Objects(o)
	require.NoError(t, err)
	return out
}

func find(t *testing.T, list []*unstructured.Unstructured, kind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	i := slices.IndexFunc(list, func(o *unstructured.Unstructured) bool {
		return o.GetKind() == kind && o.GetNamespace() == namespace && o.GetName() == name
	})
	require.GreaterOrEqual(t, i, 0, "no %s %s/%s", kind, namespace, name)
	return list[i]
}

func rulesOf(t *testing.T, o *unstructured.Unstructured) []rbac.PolicyRule {
	t.Helper()
	var role rbac.Role
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role))
	return role.Rules
}

// Whoever names the namespaces of the declarations gives the controller no right
// to write anywhere else.
func TestRightsHoldOnlyAtTheirPlaces(t *testing.T) {
	list := objects(t, deploy.Options{Namespaces: []string{"default", "bookinfo"}})
	for at, namespaces := range map[access.Place][]string{
		access.Gateways: {"istio-private-gateways"}, access.ControlPlane: {"istio-system"},
		access.Services: {"default", "bookinfo"}, access.Own: {"federator-system"},
	} {
		for _, n := range namespaces {
			assert.Equal(t, access.Rules(at, "istio"), rulesOf(t, find(t, list, "Role", n, "federator-"+string(at))))
		}
	}
	for _, o := range list {
		if o.GetKind() != "ClusterRole" {
			continue
		}
		assert.Equal(t, "federator-everywhere", o.GetName())
		for _, r := range rulesOf(t, o) {
			for _, verb := range r.Verbs {
				status := slices.Contains(r.Resources, "exposures/status")
				event := slices.Contains(r.Resources, "events")
				assert.True(t, verb == "list" || verb == "watch" || status || event, "%v everywhere", r)
			}
		}
	}
}

func TestDeclarationsOfAllNamespacesNeedTheirRightsEverywhere(t *testing.T) {
	list := objects(t, deploy.Options{})
	assert.Equal(t, access.Rules(access.Services, "istio"), rulesOf(t, find(t, list, "ClusterRole", "", "federator-services")))
}

func TestThePodHasNoPrivileges(t *testing.T) {
	d := find(t, objects(t, deploy.Options{}), "Deployment", "federator-system", "federator")
	nonRoot, _, _ := unstructured.NestedBool(d.Object, "spec", "template", "spec", "securityContext", "runAsNonRoot")
	assert.True(t, nonRoot)
	containers, _, _ := unstructured.NestedSlice(d.Object, "spec", "template", "spec", "containers")
	require.Len(t, containers, 1)
	c, _ := containers[0].(map[string]any)
	drop, _, _ := unstructured.NestedStringSlice(c, "securityContext", "capabilities", "drop")
	assert.Equal(t, []string{"ALL"}, drop)
	readOnly, _, _ := unstructured.NestedBool(c, "securityContext", "readOnlyRootFilesystem")
	assert.True(t, readOnly)
	assert.Equal(t, image, c["image"])
}

// SAD PATHS
func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for want, o := range map[string]deploy.Options{
		"name the controller's image": {},
		`"a/b" is no name`:            {Image: image, GatewayNamespace: "a/b"},
		`"*" is no name`:              {Image: image, Namespaces: []string{"*"}},
		"-1 replicas":                 {Image: image, Replicas: -1},
	} {
		_, err := deploy.Objects(o)
		assert.ErrorContains(t, err, want)
	}
}
