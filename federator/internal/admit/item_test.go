package admit

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
)

// Whatever two declarations cannot both have, as Validate tells it, is a claim of
// its owner: who asks for another such value asks for more than he had.
func TestAClaimIsWhatValidateGivesToOneOnly(t *testing.T) {
	mine := func() (api.Peer, api.Exposure, api.Consumption) { return sample("mine") }
	fields := map[string]struct {
		set   func(p *api.Peer, e *api.Exposure, c *api.Consumption, from string)
		claim bool
	}{
		"client identity": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.ClientIdentity = "spiffe://" + from + ".example.com/in"
		}, true},
		"server identity": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.ServerIdentity = "spiffe://" + from + ".example.com/out"
		}, false},
		"server name": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.SNI = from + ".example.com"
		}, true},
		"address": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.Address.Host = from + ".net"
		}, false},
		"offers": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.Offers = []string{"/" + from + "/"}
		}, false},
		"host of the entrance": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.Ingress.Host = "in." + from + ".example.com"
		}, true},
		"roots of the entrance": {func(p *api.Peer, _ *api.Exposure, _ *api.Consumption, from string) {
			p.Spec.Ingress.CredentialName = from + "-certs"
		}, true},
		"public path": {func(_ *api.Peer, e *api.Exposure, _ *api.Consumption, from string) { e.Spec.Path = "/" + from + "/" }, true},
		"exposed service": {func(_ *api.Peer, e *api.Exposure, _ *api.Consumption, from string) {
			e.Spec.Service = api.Service{Name: from, Port: 2, Subset: from}
		}, false},
		"consumers": {func(_ *api.Peer, e *api.Exposure, _ *api.Consumption, from string) {
			e.Spec.Consumers[0].Paths = []string{from}
		}, false},
		"local name": {func(_ *api.Peer, _ *api.Exposure, c *api.Consumption, from string) { c.Spec.Service.Name = from }, true},
		"local port": {func(_ *api.Peer, _ *api.Exposure, c *api.Consumption, _ string) { c.Spec.Service.Port = 2 }, false},
		"remote path": {func(_ *api.Peer, _ *api.Exposure, c *api.Consumption, from string) {
			c.Spec.From.Path = "/" + from + "/"
		}, false},
		"routes": {func(_ *api.Peer, _ *api.Exposure, c *api.Consumption, _ string) {
			c.Spec.Routes[0].To = []api.Destination{{Target: api.TargetLocal, Weight: 100}}
		}, false},
	}
	for name, f := range fields {
		t.Run(name, func(t *testing.T) {
			p, e, c := mine()
			f.set(&p, &e, &c, "theirs")
			theirs, exposure, consumption := sample("theirs")
			s := api.Spec{Mesh: boundary(), Peers: []api.Peer{theirs, p}, Exposures: []api.Exposure{exposure, e}, Consumptions: []api.Consumption{consumption, c}}
			var contested bool
			for _, bad := range problems(s) {
				contested = contested || slices.ContainsFunc(bad, func(p api.Problem) bool { return strings.HasSuffix(string(p.Cause), "claimed") })
			}
			require.Equal(t, f.claim, contested, "what Validate says of two declarations with one value")

			before, exposed, consumed := mine()
			keeps := item{peer: &p}.claimsNoMoreThan(item{peer: &before}) &&
				item{exposure: &e}.claimsNoMoreThan(item{exposure: &exposed}) &&
				item{consumption: &c}.claimsNoMoreThan(item{consumption: &consumed})
			assert.Equal(t, !contested, keeps)
		})
	}
}

func boundary() api.Mesh {
	m := api.Mesh{Spec: api.MeshSpec{Host: "own.example.com"}}
	m.Name = "own"
	m.Spec.Ingress = &api.Gateway{Namespace: "gw", Service: "in", Selector: map[string]string{"a": "in"}, Port: 1, CredentialName: "certs"}
	m.Spec.Egress = &api.Gateway{Namespace: "gw", Service: "out", Selector: map[string]string{"a": "out"}, Port: 1, CredentialName: "certs"}
	return m
}

// sample is one of each kind in which every value is its owner's alone.
func sample(of string) (api.Peer, api.Exposure, api.Consumption) {
	p := api.Peer{Spec: api.PeerSpec{ClientIdentity: "spiffe://" + of + ".example.com/in", ServerIdentity: "spiffe://" + of + ".example.com/out",
		SNI: of + ".example.com", Address: &api.Address{Host: of + ".net", Port: 1},
		Ingress: &api.PeerIngress{Host: "in." + of + ".example.com", CredentialName: of + "-certs"}}}
	e := api.Exposure{Spec: api.ExposureSpec{Service: api.Service{Name: of, Port: 1}, Path: "/" + of + "/", Consumers: []api.Consumer{{Peer: of, Methods: []string{"GET"}}}}}
	c := api.Consumption{Spec: api.ConsumptionSpec{Service: api.Service{Name: of, Port: 1}, From: api.From{Peer: of, Path: "/" + of + "/"},
		Routes: []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 100}}}}}}
	p.Name, e.Name, c.Name, e.Namespace, c.Namespace = of, of, of, "n", "n"
	return p, e, c
}
