package pairing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps/internal/pairing"
)

func TestTheDeclarationsAreWhatTheEngineReads(t *testing.T) {
	text := pairing.Declarations("c1", []pairing.Peer{{Name: "c2", Host: "172.30.2.1", Port: "15443"}, {Name: "c3"}})
	spec, err := federator.Parse("pairing", strings.NewReader(text))
	require.NoError(t, err, "%s", text)
	assert.Equal(t, "c1.example.com", spec.Mesh.Spec.Host)
	require.Len(t, spec.Peers, 2)
	assert.Equal(t, "spiffe://c2.example.com/istio-private-ingressgateway", spec.Peers[0].Spec.ServerIdentity)
	assert.Equal(t, "172.30.2.1", spec.Peers[0].Spec.Address.Host)
	assert.Nil(t, spec.Peers[1].Spec.Address)
	assert.Equal(t, "spiffe://c3.example.com/istio-private-egressgateway", spec.Peers[1].Spec.ClientIdentity)
}

func TestBothSidesOfAnEntranceHaveTheSameNameForIt(t *testing.T) {
	here := pairing.Declarations("c2", []pairing.Peer{{Name: "c1", Alone: true}, {Name: "c3"}})
	spec, err := federator.Parse("pairing", strings.NewReader(here))
	require.NoError(t, err, "%s", here)
	require.NotNil(t, spec.Peers[0].Spec.Ingress)
	assert.Nil(t, spec.Peers[1].Spec.Ingress)
	there := pairing.Declarations("c1", []pairing.Peer{{Name: "c2", Host: "172.30.2.1", Port: "15443", KnowsAlone: true}})
	caller, err := federator.Parse("pairing", strings.NewReader(there))
	require.NoError(t, err, "%s", there)
	assert.Equal(t, spec.Peers[0].Spec.Ingress.Host, caller.Peers[0].Spec.SNI)
	assert.Equal(t, pki.EntranceHost("c2", "c1"), caller.Peers[0].Spec.SNI)
	assert.Equal(t, pki.EntranceSecretName("c2", "c1"), spec.Peers[0].Spec.Ingress.CredentialName)
	assert.Equal(t, pki.OwnSecretName("c1"), caller.Mesh.Spec.Egress.CredentialName)
	assert.NotEqual(t, pki.OwnSecretName("c2"), spec.Mesh.Spec.Egress.CredentialName)
}

func TestAnExpectedIdentityReplacesTheTrueOne(t *testing.T) {
	text := pairing.Declarations("c1", []pairing.Peer{{Name: "c2", Host: "h", Port: "1", ServerIdentity: "spiffe://c9/x"}})
	assert.Contains(t, text, "serverIdentity: spiffe://c9/x")
	assert.NotContains(t, text, pairing.ServerIdentity("c2"))
}
