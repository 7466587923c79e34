package e2e_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/e2e"
)

// provider counts labs that are up.
type provider struct {
	cluster.Provider
	up     int
	refuse error
}

func (p *provider) Create(_ context.Context, name string, t cluster.Topology) (cluster.Lab, error) {
	if p.refuse != nil {
		return nil, p.refuse
	}
	p.up++
	return &lab{provider: p, topology: t, name: name}, nil
}

type lab struct {
	cluster.Lab
	provider *provider
	topology cluster.Topology
	name     string
}

func (l *lab) Cluster(name string) (cluster.Cluster, error) {
	for _, c := range l.topology.Clusters {
		if c.Name == name {
			return member{name: name}, nil
		}
	}
	return nil, errors.New("no cluster " + name)
}

func (l *lab) Delete(ctx context.Context) error {
	l.provider.up--
	return ctx.Err()
}

type member struct {
	cluster.Cluster
	name string
}

func (m member) Name() string       { return m.name }
func (m member) Kubeconfig() string { return "/labs/" + m.name }

func TestALabComesWithItsFirstClusterAndGoesWithItsLast(t *testing.T) {
	p := &provider{}
	l, err := e2e.NewLab(p, "demo", cluster.TopologyOf(2))
	require.NoError(t, err)
	c1, c2 := l.Cluster().SetDefaults().WithName("c1"), l.Cluster().SetDefaults().WithName("c2")
	path, err := c1.Create(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "/labs/c1", path)
	assert.Equal(t, path, c1.GetKubeconfig())
	again, err := c1.Create(t.Context())
	require.NoError(t, err)
	assert.Equal(t, path, again, "a second Create is the same cluster")
	_, err = c2.Create(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, p.up)

	require.NoError(t, c1.Destroy(t.Context()))
	require.NoError(t, c1.Destroy(t.Context()), "twice is no harm")
	assert.Equal(t, 1, p.up, "c2 is still in use")
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, c2.Destroy(interrupted))
	assert.Zero(t, p.up)
}

func TestWhatCannotBeHadIsSaidByCreateAndNothingIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		use  func(l *e2e.Lab) error
		want string
	}{
		"a cluster that the topology lacks": {func(l *e2e.Lab) error {
			_, err := l.Cluster().WithName("c9").Create(context.Background())
			return err
		}, "no cluster c9"},
		"a version": {func(l *e2e.Lab) error {
			_, err := l.Cluster().WithName("c1").WithVersion("v1.30.0").Create(context.Background())
			return err
		}, `version "v1.30.0"`},
		"a program": {func(l *e2e.Lab) error {
			_, err := l.Cluster().WithName("c1").WithPath("/bin/kind").Create(context.Background())
			return err
		}, `path "/bin/kind"`},
		"a configuration": {func(l *e2e.Lab) error {
			_, err := l.Cluster().WithName("c1").CreateWithConfig(context.Background(), "kind.yaml")
			return err
		}, "given to NewLab"},
		"a kubeconfig before Create": {func(l *e2e.Lab) error {
			_, err := l.Cluster().WithName("c1").GenerateKubeconfig()
			return err
		}, "not up"},
		"an archive that is not there": {func(l *e2e.Lab) error {
			return l.Cluster().LoadImageArchive(context.Background(), "absent.tar")
		}, "absent.tar"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &provider{}
			l, err := e2e.NewLab(p, "demo", cluster.TopologyOf(2))
			require.NoError(t, err)
			require.ErrorContains(t, c.use(l), c.want)
			assert.Zero(t, p.up)
		})
	}
	_, err := e2e.NewLab(&provider{}, "Not A Label", cluster.TopologyOf(1))
	require.ErrorContains(t, err, "lab name")
	_, err = e2e.NewLab(&provider{}, "demo", cluster.Topology{})
	require.ErrorContains(t, err, "no clusters")
}

func TestAFailedLabIsTheProvidersError(t *testing.T) {
	l, err := e2e.NewLab(&provider{refuse: errors.New("needs root")}, "demo", cluster.TopologyOf(1))
	require.NoError(t, err)
	c := l.Cluster().WithName("c1")
	_, err = c.Create(t.Context())
	require.ErrorContains(t, err, "needs root")
	assert.Nil(t, c.KubernetesRestConfig())
}
