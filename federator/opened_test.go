package federator

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
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

// What others have added and an apply leaves alone is theirs to remove, but
// nobody is left to believe that the object says what was declared. It stands in
// nobody's way: what is withdrawn goes.
func TestWhatOthersAddToAnObjectOfOursIsReportedAndHoldsUpNothing(t *testing.T) {
	const deny, grant = "federation-ingress-default-deny", "federation-expose-bookinfo-ratings"
	cases := map[string]struct{ cluster, kind, name, edit, blamed, field string }{
		"the default deny selects other pods":    {"c2", "AuthorizationPolicy", deny, "spec: {selector: {matchLabels: {app: other}}}", "Mesh/c2", "spec.selector.matchLabels.app"},
		"another istiod reads the default deny":  {"c2", "AuthorizationPolicy", deny, "metadata: {labels: {istio.io/rev: other}}", "Mesh/c2", "metadata.labels.istio.io/rev"},
		"somebody else decides about a grant":    {"c2", "AuthorizationPolicy", grant, "spec: {provider: {name: x}}", "Exposure/bookinfo/ratings", "spec.provider"},
		"another root signs the peer":            {"c1", "DestinationRule", "federation-peer-c2", "spec: {trafficPolicy: {tls: {caCertificates: /tmp/x}}}", "Peer/c2", "spec.trafficPolicy.tls.caCertificates"},
		"another place answers for the peer":     {"c1", "ServiceEntry", "federation-peer-c2", "spec: {workloadSelector: {labels: {app: x}}}", "Peer/c2", "spec.workloadSelector"},
		"Istio reads a route in another meaning": {"c1", "VirtualService", "federation-consume-default-ratings", "metadata: {annotations: {internal.istio.io/route-semantics: gateway}}", "Consumption/default/ratings", "metadata.annotations.internal.istio.io/route-semantics"},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, row.cluster)
			converge(t, e, spec)
			_, err := c.ApplyAs("kubectl", edit(t, row.kind, row.name, row.edit), false)
			require.NoError(t, err, "nobody owns the field")
			c.Writes()

			got := converge(t, e, spec)
			assert.Equal(t, map[string]api.Cause{row.blamed: api.CauseConflict}, refused(got))
			verdict := got.Verdicts[keyOf(got, row.blamed)]
			require.Len(t, verdict.Problems, 1)
			assert.Contains(t, verdict.Problems[0].Reason, "with kubectl over "+row.field)
			assert.Equal(t, FormWhole, verdict.Form, "it is in force as it stands")
			assert.Empty(t, c.Writes())
			status, err := e.Status(t.Context(), spec)
			require.NoError(t, err)
			assert.False(t, status.InSync)
			diff, err := e.Diff(t.Context(), spec)
			require.NoError(t, err)
			assert.True(t, diff.HasChanges())

			nothing := spec
			nothing.Exposures, nothing.Consumptions = nil, nil
			converge(t, e, nothing)
			for ref := range c.Refs() {
				assert.NotContains(t, ref.Name, "federation-", "withdrawn")
			}
		})
	}
}

// Whatever else is wrong with a declaration, and whatever of it is in force: that
// somebody has opened what is in force is told beside it.
func TestThatSomebodyHasOpenedAGrantIsToldBesideOtherProblems(t *testing.T) {
	const everybody = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: everybody, namespace: istio-private-gateways}
spec: {rules: [{}]}
`
	cases := map[string]struct {
		form   Form
		change func(t *testing.T, c *kubefake.Cluster, s *Spec)
		cause  api.Cause
	}{
		"a consumer is refused": {FormPart, func(_ *testing.T, _ *kubefake.Cluster, s *Spec) {
			s.Peers = s.Peers[:1]
		}, api.CausePeerNotFound},
		"a newer version is refused": {FormEarlier, func(t *testing.T, c *kubefake.Cluster, s *Spec) {
			_, err := c.ApplyAs("kubectl", objects(t, everybody)[0], false)
			require.NoError(t, err)
			s.Exposures[1].Spec.Path = "/new/"
		}, api.CauseConflict},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			c, e, spec := setup(t, "c2")
			converge(t, e, spec)
			spec.Exposures = slices.Clone(spec.Exposures)
			row.change(t, c, &spec)
			converge(t, e, spec)
			opened := edit(t, "AuthorizationPolicy", ratingsGrant, "spec: {rules: [{}]}")
			c.Seize("kubectl", opened)
			for range 2 {
				verdict := converge(t, e, spec).Verdicts[spec.Exposures[1].Key()]
				assert.Equal(t, row.form, verdict.Form)
				require.Len(t, verdict.Problems, 2)
				assert.Equal(t, row.cause, verdict.Problems[0].Cause)
				assert.Equal(t, api.CauseConflict, verdict.Problems[1].Cause)
				assert.Contains(t, verdict.Problems[1].Reason, ratingsGrant)
			}
		})
	}
}

// The Mesh bears what somebody has done to the boundary while its own change waits.
func TestThatSomebodyHasOpenedTheBoundaryIsToldWhileTheMeshWaits(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	gateway := *spec.Mesh.Spec.Ingress
	gateway.Port++
	spec.Mesh.Spec.Ingress = &gateway
	_, err := c.ApplyAs("kubectl", edit(t, "AuthorizationPolicy", "federation-ingress-default-deny", "spec: {provider: {name: x}}"), false)
	require.NoError(t, err)
	mesh := converge(t, e, spec).Verdicts[spec.Mesh.Key()]
	assert.Equal(t, FormEarlier, mesh.Form)
	require.Len(t, mesh.Problems, 2)
	assert.Contains(t, mesh.Problems[0].Reason, "has no port")
	assert.Contains(t, mesh.Problems[1].Reason, "spec.provider")
}

func keyOf(c Convergence, text string) api.Key {
	for key := range c.Verdicts {
		if key.String() == text {
			return key
		}
	}
	return api.Key{}
}

// The labels and annotations of others are none of ours, nor is what they add to
// a Service: the API server itself does.
func TestWhatOthersAddThatDecidesNothingIsNotReported(t *testing.T) {
	c, e, spec := setup(t, "c1")
	converge(t, e, spec)
	for _, o := range []*unstructured.Unstructured{
		edit(t, "VirtualService", "federation-consume-default-ratings", "metadata: {labels: {team: x}, annotations: {example.com/istio.io: x}}"),
		objects(t, "{apiVersion: v1, kind: Service, metadata: {name: ratings, namespace: default}, spec: {clusterIP: 10.0.0.9}}")[0],
	} {
		_, err := c.ApplyAs("kubectl", o, false)
		require.NoError(t, err)
	}
	assert.Empty(t, refused(converge(t, e, spec)))
}
