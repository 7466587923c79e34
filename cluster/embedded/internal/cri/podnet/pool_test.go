package podnet

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func poolOf(t *testing.T, prefix string) *pool {
	t.Helper()
	p, err := newPool(netip.MustParsePrefix(prefix))
	require.NoError(t, err)
	return p
}

func take(t *testing.T, p *pool) string {
	t.Helper()
	a, err := p.take()
	require.NoError(t, err)
	return a.String()
}

func TestAddressesComeInOrderWithoutNetworkGatewayAndBroadcast(t *testing.T) {
	p := poolOf(t, "10.1.2.9/29")
	for _, want := range []string{"10.1.2.10", "10.1.2.11", "10.1.2.12", "10.1.2.13", "10.1.2.14"} {
		assert.Equal(t, want, take(t, p))
	}
	_, err := p.take()
	assert.ErrorContains(t, err, "all 5 addresses of 10.1.2.8/29 are in use")
}

func TestAFreedAddressComesBackOnlyAfterAllOthers(t *testing.T) {
	p := poolOf(t, "10.1.2.0/29")
	first := take(t, p)
	p.release(netip.MustParseAddr(first))
	for range 4 {
		assert.NotEqual(t, first, take(t, p))
	}
	assert.Equal(t, first, take(t, p))
}

func TestAnAddressInUseIsLeftOut(t *testing.T) {
	p := poolOf(t, "10.1.2.0/29")
	for range 5 {
		take(t, p)
	}
	p.release(netip.MustParseAddr("10.1.2.4"))
	assert.Equal(t, "10.1.2.4", take(t, p))
}

func TestAPrefixThatHoldsNoPodsIsRefused(t *testing.T) {
	for prefix, want := range map[string]string{
		"10.0.0.0/30": "too small",
		"10.0.0.1/32": "too small",
		"fd00::/64":   "want an IPv4 prefix",
	} {
		_, err := New(netip.MustParsePrefix(prefix))
		assert.ErrorContains(t, err, want, prefix)
	}
	_, err := New(netip.Prefix{})
	assert.ErrorContains(t, err, "want an IPv4 prefix")
}

func TestLinkNamesFitTheKernelsLimit(t *testing.T) {
	assert.Len(t, hostLink("a"), 12)
	assert.NotEqual(t, hostLink("a"), hostLink("b"))
}
