package kind

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/addr"
	"github.com/meshfed/meshfed/cluster/internal/command"
)

const kinds = `
apiVersion: v1
kind: Config
current-context: kind-meshfed-x-c1
clusters: [{name: kind-meshfed-x-c1, cluster: {server: "https://meshfed-x-c1-control-plane:6443"}}]
users: [{name: kind-meshfed-x-c1, user: {token: t}}]
contexts: [{name: kind-meshfed-x-c1, context: {cluster: kind-meshfed-x-c1, user: kind-meshfed-x-c1}}]
`

func TestAKubeconfigHasOneContextNamedAsTheCluster(t *testing.T) {
	raw, err := kubeconfig(kinds, clusterRecord{Name: "c1", Node: netip.MustParseAddr("10.212.1.2")})
	require.NoError(t, err)
	got, err := clientcmd.Load(raw)
	require.NoError(t, err)
	assert.Equal(t, "c1", got.CurrentContext)
	require.Len(t, got.Contexts, 1)
	assert.Equal(t, "https://10.212.1.2:6443", got.Clusters["c1"].Server)
	assert.Equal(t, "t", got.AuthInfos["c1"].Token)

	for _, bad := range []string{"", "apiVersion: v1\nkind: Config\ncurrent-context: x\n", "{"} {
		_, err := kubeconfig(bad, clusterRecord{Name: "c1"})
		assert.Error(t, err, bad)
	}
}

func TestNoTwoClustersShareASubnet(t *testing.T) {
	seen := map[string]bool{}
	for i := range 3 {
		plan, err := addr.PlanOf(i)
		require.NoError(t, err)
		c := configOf(plan, "image")
		for _, subnet := range []string{c.Networking.PodSubnet, c.Networking.ServiceSubnet} {
			assert.False(t, seen[subnet], subnet)
			seen[subnet] = true
		}
	}
}

func TestTheFenceNamesTheNetworkAndTheEngine(t *testing.T) {
	rules, err := fence{Network: netip.MustParsePrefix("10.212.1.0/24"), Gateway: netip.MustParseAddr("10.212.1.1"), Pods: netip.MustParsePrefix("10.1.0.0/16")}.rules()
	require.NoError(t, err)
	assert.Contains(t, rules, `oifname "eth0" ip daddr 10.212.1.0/24 accept`)
	assert.Contains(t, rules, "ip daddr { 10.212.1.0/24, 10.1.0.0/16 } accept")
	assert.Contains(t, rules, "ip saddr 10.212.1.1 accept")
	assert.NotContains(t, rules, "{{")
}

func TestOnlyAContainerThatIsGoneAlreadyIsNoFailure(t *testing.T) {
	for tail, want := range map[string]bool{
		"Error: No such container: x":                   true,
		"removal of container x is already in progress": true,
		"Error: device or resource busy":                false,
		"":                                              false,
	} {
		failure := &command.Failure{}
		if tail != "" {
			failure.Tail = []string{tail}
		}
		assert.Equal(t, want, gone(failure), tail)
	}
	assert.False(t, gone(errors.New("No such container")), "not the client's word")
}

func TestWhatIsNotThereIsNoLab(t *testing.T) {
	p, err := New(Options{StateDir: t.TempDir(), CacheDir: t.TempDir()})
	require.NoError(t, err)
	_, err = p.Open(t.Context(), "x")
	require.ErrorIs(t, err, cluster.ErrNoLab)
	_, err = p.Open(t.Context(), "No Label")
	require.Error(t, err)
	names, err := p.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, names)
}

func TestALabThatWasHalfMadeIsNotOpenedAndSaysHowToGetRidOfIt(t *testing.T) {
	p, err := New(Options{StateDir: t.TempDir(), CacheDir: t.TempDir()})
	require.NoError(t, err)
	l := p.lab("half")
	require.NoError(t, l.begin(cluster.TopologyOf(2), parts{}, enginePlace{own: true}))
	assert.True(t, p.lab("half").beingMade())
	require.ErrorContains(t, p.lab("half").begin(cluster.TopologyOf(2), parts{}, enginePlace{}), "another run")

	_, err = p.Cleanup(t.Context(), "half")
	require.ErrorContains(t, err, "alive", "nobody takes a lab from a live run")

	l.releaseMaker() // as the kernel does for a process that was killed
	_, err = p.Open(t.Context(), "half")
	require.ErrorContains(t, err, "conformance cleanup")
	assert.NotErrorIs(t, err, cluster.ErrNoLab)
	n, err := p.freeNetwork()
	require.NoError(t, err)
	assert.Equal(t, 2, n, "its network is not given away")
}

func TestTheLabsOfAnotherStateFolderAreSomebodyElses(t *testing.T) {
	one, err := New(Options{StateDir: t.TempDir(), CacheDir: t.TempDir()})
	require.NoError(t, err)
	other, err := New(Options{StateDir: t.TempDir(), CacheDir: t.TempDir()})
	require.NoError(t, err)
	assert.NotEqual(t, one.docker("").owner, other.docker("").owner)
	assert.Equal(t, one.docker("").owner, one.docker("unix:///x").owner)
	assert.NotEmpty(t, one.docker("").owner)
}
