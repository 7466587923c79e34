package federator

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// edit is what another manager says about one of our objects.
func edit(t *testing.T, kind, name, rest string) *unstructured.Unstructured {
	t.Helper()
	version := map[string]string{"AuthorizationPolicy": "security.istio.io/v1"}[kind]
	if version == "" {
		version = "networking.istio.io/v1"
	}
	o := objects(t, "{apiVersion: "+version+", kind: "+kind+", "+rest+"}")[0]
	o.SetNamespace(gateways)
	o.SetName(name)
	return o
}

// What opens a boundary is ours to say, Istio's defaults too: a field that the
// engine does not own, anybody can set without a conflict.
func TestNobodyOpensAnObjectOfOursWithoutAConflict(t *testing.T) {
	const deny, grant = "federation-ingress-default-deny", "federation-expose-bookinfo-ratings"
	cases := map[string]struct{ cluster, kind, name, edit, blamed string }{
		"the default deny gets a rule":           {"c2", "AuthorizationPolicy", deny, "spec: {rules: [{}]}", "Mesh/c2"},
		"the default deny denies nothing":        {"c2", "AuthorizationPolicy", deny, "spec: {action: AUDIT}", "Mesh/c2"},
		"the default deny only rehearses":        {"c2", "AuthorizationPolicy", deny, "metadata: {annotations: {istio.io/dry-run: 'true'}}", "Mesh/c2"},
		"a grant denies":                         {"c2", "AuthorizationPolicy", grant, "spec: {action: DENY}", "Exposure/bookinfo/ratings"},
		"a grant only rehearses":                 {"c2", "AuthorizationPolicy", grant, "metadata: {annotations: {istio.io/dry-run: 'true'}}", "Exposure/bookinfo/ratings"},
		"the peer's certificate is not verified": {"c1", "DestinationRule", "federation-peer-c2", "spec: {trafficPolicy: {tls: {insecureSkipVerify: true}}}", "Peer/c2"},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, row.cluster)
			converge(t, e, spec)
			theirs := edit(t, row.kind, row.name, row.edit)
			_, err := c.ApplyAs("kubectl", theirs, false)
			var conflict *kube.ConflictError
			require.ErrorAs(t, err, &conflict, "nobody has it without a force")

			c.Seize("kubectl", theirs)
			got := converge(t, e, spec)
			assert.Equal(t, api.CauseConflict, refused(got)[row.blamed])
			status, err := e.Status(t.Context(), spec)
			require.NoError(t, err)
			assert.False(t, status.InSync)
			_, err = e.Plan(t.Context(), spec)
			require.ErrorAs(t, err, &conflict)
			diff, err := e.Diff(t.Context(), spec)
			require.NoError(t, err)
			assert.True(t, diff.HasChanges())
		})
	}
}
