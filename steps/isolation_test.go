package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/traffic"
)

// On a flat network the peer's sidecar ends a connection without mutual TLS, and
// the caller's own proxy says 503 then as well.
func TestOnlyWhatWasNeverConnectedEndedOnThisSide(t *testing.T) {
	const envoy = "upstream connect error or disconnect/reset before headers. reset reason: "
	for name, c := range map[string]struct {
		outcome traffic.Outcome
		want    bool
	}{
		"nobody there":        {traffic.Outcome{Kind: traffic.UpstreamFailed, Reason: envoy + "remote connection failure"}, true},
		"nobody answers":      {traffic.Outcome{Kind: traffic.UpstreamFailed, Reason: envoy + "connection timeout"}, true},
		"nothing may leave":   {traffic.Outcome{Kind: traffic.UpstreamFailed, Status: 502, Reason: "Bad Gateway"}, true},
		"502 with words":      {traffic.Outcome{Kind: traffic.UpstreamFailed, Status: 502, Reason: "upstream protocol error"}, false},
		"ended by the peer":   {traffic.Outcome{Kind: traffic.UpstreamFailed, Reason: envoy + "connection termination"}, false},
		"reset by the peer":   {traffic.Outcome{Kind: traffic.UpstreamFailed, Reason: envoy + "remote reset"}, false},
		"a proxy of the peer": {traffic.Outcome{Kind: traffic.UpstreamFailed, Reason: "no healthy upstream"}, false},
		"connected, and slow": {traffic.Outcome{Kind: traffic.UpstreamFailed, Reason: "upstream request timeout"}, false},
		"no route":            {traffic.Outcome{Kind: traffic.Unreachable}, true},
		"no answer":           {traffic.Outcome{Kind: traffic.TimedOut}, true},
		"another protocol":    {traffic.Outcome{Kind: traffic.Malformed}, false},
		"denied":              {traffic.Outcome{Kind: traffic.DeniedByPolicy}, false},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, endedHere(c.outcome)) })
	}
}
