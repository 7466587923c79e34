package addr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/addr"
)

func TestNoTwoClustersShareAnAddress(t *testing.T) {
	var plans []addr.Plan
	for i := range addr.MaxClusters {
		p, err := addr.PlanOf(i)
		require.NoError(t, err)
		for _, q := range plans {
			assert.NotEqual(t, p.Node, q.Node)
			assert.False(t, p.Pods.Overlaps(q.Pods))
			assert.False(t, p.Services.Overlaps(q.Services))
			assert.False(t, p.LoadBalancers.Overlaps(q.LoadBalancers))
			assert.False(t, p.Pods.Overlaps(q.Services), "pods of one and services of another")
		}
		assert.True(t, addr.WAN().Contains(p.Node))
		assert.True(t, addr.WAN().Overlaps(p.LoadBalancers))
		assert.False(t, p.LoadBalancers.Contains(p.Node))
		assert.False(t, p.LoadBalancers.Contains(addr.Outside()))
		assert.True(t, p.Services.Contains(p.DNS))
		plans = append(plans, p)
	}
}

func TestAPlanThatDoesNotFitIsRefused(t *testing.T) {
	for _, i := range []int{-1, addr.MaxClusters} {
		_, err := addr.PlanOf(i)
		assert.Error(t, err, i)
	}
}
