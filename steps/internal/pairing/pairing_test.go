package pairing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator"
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

func TestAnExpectedIdentityReplacesTheTrueOne(t *testing.T) {
	text := pairing.Declarations("c1", []pairing.Peer{{Name: "c2", Host: "h", Port: "1", ServerIdentity: "spiffe://c9/x"}})
	assert.Contains(t, text, "serverIdentity: spiffe://c9/x")
	assert.NotContains(t, text, pairing.ServerIdentity("c2"))
}
