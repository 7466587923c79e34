package federator

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
)

func TestDiffSaysHowAnObjectHasDriftedAndByWhom(t *testing.T) {
	const policy = "federation-expose-bookinfo-ratings"
	ref := kube.Ref{APIVersion: "security.istio.io/v1", Kind: "AuthorizationPolicy", Namespace: gateways, Name: policy}
	edit := func(spec map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind,
			"metadata": map[string]any{"name": policy, "namespace": gateways}, "spec": spec}}
	}
	cases := map[string]struct {
		drift func(*testing.T, *kubefake.Cluster)
		// action is what brings the object back; empty: there is no drift.
		action Action
		diff   string
		by     string
	}{
		"nothing": {drift: func(*testing.T, *kubefake.Cluster) {}},
		"a field that nobody declared": {
			drift: func(_ *testing.T, c *kubefake.Cluster) {
				c.Seize("kubectl-edit", edit(map[string]any{"provider": map[string]any{"name": "x"}}))
			},
			action: ActionUpdate, diff: "-  provider:", by: "kubectl-edit",
		},
		"a field that says something else": {
			drift: func(_ *testing.T, c *kubefake.Cluster) {
				c.Seize("kubectl-edit", edit(map[string]any{"action": "DENY"}))
			},
			action: ActionUpdate, diff: "-  action: DENY", by: "kubectl-edit",
		},
		"a label of another owner is no drift": {
			drift: func(_ *testing.T, c *kubefake.Cluster) {
				o := edit(map[string]any{})
				delete(o.Object, "spec")
				o.SetLabels(map[string]string{"team": "x"})
				c.Seize("labeller", o)
			},
		},
		"an object that is gone": {
			drift: func(t *testing.T, c *kubefake.Cluster) {
				o, err := c.Get(t.Context(), ref)
				require.NoError(t, err)
				_, err = c.Delete(t.Context(), ref, o.GetUID())
				require.NoError(t, err)
			},
			action: ActionCreate, diff: "+kind: AuthorizationPolicy",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cluster, e, spec := setup(t, "c2")
			_, err := e.Apply(t.Context(), spec)
			require.NoError(t, err)
			c.drift(t, cluster)
			cluster.Writes()

			got, err := e.Diff(t.Context(), spec)
			require.NoError(t, err)
			assert.Empty(t, cluster.Writes())
			assert.Equal(t, c.action != "", got.HasChanges())
			for _, change := range got.Changes {
				if change.Object != ref || c.action == "" {
					assert.Equal(t, ActionUnchanged, change.Action, "%s: %s", change.Object, change.Diff)
					continue
				}
				assert.Equal(t, c.action, change.Action)
				assert.Contains(t, change.Diff, c.diff)
				if c.by != "" {
					require.Len(t, change.ChangedBy, 1)
					assert.Contains(t, change.ChangedBy[0], c.by)
				}
			}
		})
	}
}
