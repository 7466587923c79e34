package bench

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
)

// pulling is a cluster whose owner has Bookinfo in a registry.
type pulling struct{ cluster.Cluster }

func (pulling) ImageName(image string) string { return "registry.example.com/" + image }

func TestBookinfoIsPulledFromWhereTheClustersOwnerHasIt(t *testing.T) {
	objects, err := fixtures.Manifests("c2", imagesOf(pulling{}))
	require.NoError(t, err)
	later, err := fixtures.Later("c1", "reviews", "v2", imagesOf(pulling{}))
	require.NoError(t, err)
	deployments := 0
	for _, o := range append(objects, later...) {
		if o.GetKind() != "Deployment" {
			continue
		}
		deployments++
		containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		require.NoError(t, err)
		assert.Equal(t, "registry.example.com/"+fixtures.Image, containers[0].(map[string]any)["image"])
	}
	assert.Equal(t, 5, deployments)
}

func TestAnImageThatIsMissingIsToldWithWhatToDo(t *testing.T) {
	err := explained(fmt.Errorf("deployment default/sleep: %w", workload.ErrNoImage))
	require.ErrorIs(t, err, workload.ErrNoImage)
	require.ErrorContains(t, err, "--image")
	other := errors.New("other")
	require.Equal(t, other, explained(other))
	require.NoError(t, explained(nil))
}
