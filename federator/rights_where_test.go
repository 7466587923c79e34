package federator

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/federator/api"
)

func TestTheRightsOfTheLibraryAreNotTheControllers(t *testing.T) {
	rights := Rights(Where{Gateways: "gw", ControlPlane: "istio-system", Services: []string{"a", "b"}, MeshConfig: "istio"})
	assert.Len(t, rights, 5)
	for namespace, rules := range rights {
		assert.NotEmpty(t, rules, namespace)
		for _, r := range rules {
			assert.NotContains(t, r.APIGroups, api.Group, namespace)
			assert.NotContains(t, r.APIGroups, "events.k8s.io", namespace)
			assert.False(t, namespace == "" && r.Resources[0] == "secrets", "Secrets of the whole cluster")
		}
	}
	assert.Equal(t, rights["a"], rights["b"])
}
