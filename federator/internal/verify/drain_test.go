package verify_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/internal/envoy"
	"github.com/meshfed/meshfed/federator/internal/verify"
)

// draining adds Istio's bootstrap to a dump, as its proxies have it.
func draining(duration string) func(tree) {
	return func(whole tree) {
		configs := whole["configs"].([]any)
		whole["configs"] = append(configs, tree{
			"@type":     "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
			"bootstrap": tree{"node": tree{"metadata": tree{"PROXY_CONFIG": tree{"drainDuration": duration}}}},
		})
	}
}

func TestALongDrainIsAWarningAndNoFinding(t *testing.T) {
	for name, c := range map[string]struct {
		side   verify.Side
		broken func(tree)
		warns  bool
	}{
		"as Istio has it":                {verify.Ingress, draining("45s"), true},
		"just too long":                  {verify.Ingress, draining("2.5s"), true},
		"within the bound":               {verify.Ingress, draining("2s"), false},
		"nothing is said":                {verify.Ingress, nil, false},
		"an egress gateway's is its own": {verify.Egress, draining("45s"), false},
	} {
		t.Run(name, func(t *testing.T) {
			in := running(t, "c2")
			for i, d := range in.Dumps {
				if d.Side == c.side {
					in.Dumps[i] = dump(t, "c2", c.side, c.broken)
				}
			}
			report := verify.Check(in)
			assert.Empty(t, report.Findings)
			if !c.warns {
				assert.Empty(t, report.Warnings)
				return
			}
			require.Len(t, report.Warnings, 1)
			assert.Contains(t, report.Warnings[0], "pod ingress-0")
			assert.Contains(t, report.Warnings[0], "drainDuration")
		})
	}
}

func TestADrainThatNobodyCanReadIsAnError(t *testing.T) {
	raw, err := os.ReadFile("testdata/c2-ingress.json")
	require.NoError(t, err)
	var whole tree
	require.NoError(t, json.Unmarshal(raw, &whole))
	draining("soon")(whole)
	raw, err = json.Marshal(whole)
	require.NoError(t, err)
	_, err = envoy.Parse(raw)
	require.ErrorContains(t, err, `drain duration: time: invalid duration "soon"`)
}
