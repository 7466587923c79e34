package controller

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
)

// Client-go's own limit of five requests a second would have a hundred statuses
// take 18 seconds, and withdrawals wait for them.
func TestTheControllerLimitsNoRequestsOfItsOwn(t *testing.T) {
	cfg := &rest.Config{Host: "https://127.0.0.1:1"}
	o, err := Options{Namespace: "federator-system", GatewayNamespace: "gw", LeaderElection: true, Identity: "a"}.complete()
	require.NoError(t, err)
	own, _, err := managerSettings(cfg, o)
	require.NoError(t, err)
	assert.Negative(t, own.QPS)
	assert.Zero(t, cfg.QPS, "the caller's config is the caller's")
}
