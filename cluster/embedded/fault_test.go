package embedded

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshfed/meshfed/cluster"
)

// takesWrites waits until the cluster takes a write that is carried out.
func takesWrites(t *testing.T, client kubernetes.Interface, why string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.NoError(c, write(t.Context(), client, 1)) }, time.Minute, 100*time.Millisecond, why)
}

func write(ctx context.Context, client kubernetes.Interface, size int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "written-"}, Data: map[string]string{"bulk": strings.Repeat("x", size)},
	}, metav1.CreateOptions{})
	return err
}

// controlPlaneDies is for a lab in which nobody else is at work.
func controlPlaneDies(t *testing.T, lab cluster.Lab) {
	c, err := lab.Cluster("c1")
	require.NoError(t, err)
	config, err := cluster.RESTConfig(c)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	m := c.(*member)

	for _, part := range []cluster.Part{cluster.APIServer, cluster.Etcd} {
		before, err := m.process(part)
		require.NoError(t, err)
		require.NoError(t, m.Kill(t.Context(), part))
		takesWrites(t, client, string(part))
		after, err := m.process(part)
		require.NoError(t, err)
		assert.NotEqual(t, before, after, "%s is another process now", part)
	}
	assert.ErrorContains(t, m.Kill(t.Context(), cluster.Everything), "pause it")

	empty, err := m.FillDisk(t.Context())
	require.NoError(t, err)
	refused := false
	for i := 0; i < 1000 && !refused; i++ {
		refused = write(t.Context(), client, 900<<10) != nil
	}
	assert.True(t, refused, "etcd writes to a disk that is full")
	require.NoError(t, empty())
	takesWrites(t, client, "the disk is empty again")
	_, err = client.CoreV1().Namespaces().Get(t.Context(), "istio-system", metav1.GetOptions{})
	assert.NoError(t, err, "what was stored before is still there")
}
