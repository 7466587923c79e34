package federator

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// elsewhereYAML are the private gateways in namespaces of their own.
const elsewhereYAML = `
apiVersion: v1
kind: Service
metadata: {name: istio-private-ingressgateway, namespace: gw2}
spec: {selector: {istio: private-ingressgateway}, ports: [{port: 15443}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-private-egressgateway, namespace: istio-egress}
spec: {selector: {istio: private-egressgateway}, ports: [{port: 443}]}
---
apiVersion: v1
kind: Secret
metadata: {name: c2-example-com-certs, namespace: gw2}
data: {tls.crt: YQ==, tls.key: YQ==, ca.crt: YQ==}
---
apiVersion: v1
kind: Secret
metadata: {name: c1-example-com-certs, namespace: istio-egress}
data: {tls.crt: YQ==, tls.key: YQ==, ca.crt: YQ==}
`

// moves are wishes after which the inventory of the first one is looked for in
// another namespace, while something is withdrawn.
func moves() map[string]struct {
	mesh          string
	before, after func(*Spec)
} {
	in := func(s *Spec, namespace string) {
		g := *s.Mesh.Spec.Ingress
		g.Namespace = namespace
		s.Mesh.Spec.Ingress = &g
	}
	egress := func(s *Spec) {
		g := *s.Mesh.Spec.Egress
		g.Namespace = "istio-egress"
		s.Mesh.Spec.Egress = &g
	}
	one := func(s *Spec) {
		s.Exposures = slices.Clone(s.Exposures[min(1, len(s.Exposures)):])
		s.Consumptions = slices.Clone(s.Consumptions[min(1, len(s.Consumptions)):])
	}
	return map[string]struct {
		mesh          string
		before, after func(*Spec)
	}{
		"the ingress is dropped, with all exposures": {"c2", egress, func(s *Spec) { egress(s); s.Mesh.Spec.Ingress, s.Exposures = nil, nil }},
		"the ingress moves":                          {"c2", func(*Spec) {}, func(s *Spec) { in(s, "gw2"); one(s) }},
		"the ingress moves, and nothing is left":     {"c2", func(*Spec) {}, func(s *Spec) { in(s, "gw2"); s.Exposures = nil }},
		"an ingress that nothing used is dropped":    {"c1", egress, func(s *Spec) { egress(s); s.Mesh.Spec.Ingress = nil; one(s) }},
		"an ingress comes to a mesh that consumes": {"c1", func(s *Spec) { egress(s); s.Mesh.Spec.Ingress = nil },
			func(s *Spec) { egress(s); one(s) }},
	}
}

// A boundary that has moved leaves the one before where nobody looks for it. No
// command may call that in sync, and none may begin a second one.
func TestABoundaryThatMovesLosesNoWithdrawal(t *testing.T) {
	for name, m := range moves() {
		t.Run(name, func(t *testing.T) {
			c, e, spec := movable(t, m.mesh)
			owners := c.Refs()
			before, after := spec, spec
			m.before(&before)
			m.after(&after)
			_, err := e.Apply(t.Context(), before)
			require.NoError(t, err)
			again, err := e.Apply(t.Context(), before)
			require.NoError(t, err)
			require.Zero(t, again.Writes, "a boundary of two namespaces is no other boundary")
			c.Writes()

			var conflict *ConflictError
			for command, run := range map[string]func() error{
				"apply":  func() error { _, err := e.Apply(t.Context(), after); return err },
				"plan":   func() error { _, err := e.Plan(t.Context(), after); return err },
				"diff":   func() error { _, err := e.Diff(t.Context(), after); return err },
				"cancel": func() error { _, err := e.Cancel(t.Context(), after); return err },
			} {
				err := run()
				require.ErrorAs(t, err, &conflict, command)
				assert.ErrorContains(t, err, "cancel there first", command)
			}
			status, err := e.Status(t.Context(), after)
			require.NoError(t, err)
			assert.False(t, status.InSync)
			assert.NotEmpty(t, status.Problems)
			assert.Empty(t, c.Writes())

			_, err = e.Cancel(t.Context(), before)
			require.NoError(t, err)
			assert.Equal(t, owners, c.Refs())
			_, err = e.Apply(t.Context(), after)
			assert.NoError(t, err, "the way is free")
		})
	}
}

func movable(t *testing.T, mesh string) (*kubefake.Cluster, *Engine, Spec) {
	t.Helper()
	c, e, spec := setup(t, mesh)
	if spec.Mesh.Spec.Egress == nil {
		g := *spec.Mesh.Spec.Ingress
		spec.Mesh.Spec.Egress = &g
	}
	for _, o := range objects(t, elsewhereYAML) {
		_, err := c.Put(t.Context(), o)
		require.NoError(t, err)
	}
	return c, e, spec
}

// A controller whose gateway namespace has changed finds no inventory: it adds
// nothing, and says why.
func TestAControllerThatMovesAddsNothing(t *testing.T) {
	c, e, spec := movable(t, "c2")
	converge(t, e, spec)
	c.Writes()
	for name, m := range moves() {
		if m.mesh != "c2" {
			continue
		}
		wish := spec
		m.after(&wish)
		got, err := e.Converge(t.Context(), wish.Mesh.Spec.Home(), wish)
		require.NoError(t, err, name)
		assert.Equal(t, api.CauseConflict, refused(got)["Mesh/c2"], name)
		assert.Empty(t, got.InForce.Exposures, name)
		assert.Empty(t, c.Writes(), name)
	}
}

// Where the inventory is lost, the next run takes over what it finds: there is no
// other boundary, and nothing better to go by.
func TestALostInventoryIsNoOtherBoundary(t *testing.T) {
	c, e, spec := setup(t, "c2")
	converge(t, e, spec)
	o := get(t, c, "ConfigMap", gateways, "federator-inventory")
	_, err := c.Delete(t.Context(), kube.RefOf(o), o.GetUID())
	require.NoError(t, err)
	assert.Empty(t, refused(converge(t, e, spec)))
	assert.NotNil(t, get(t, c, "ConfigMap", gateways, "federator-inventory"))
	assert.Equal(t, gateways, render.InventoryOf(get(t, c, "Gateway", gateways, render.IngressGateway)))
}
