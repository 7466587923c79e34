package cli

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cmd/internal/usage"
)

func TestTheListNamesProfilesCapabilitiesAndTimeouts(t *testing.T) {
	var out bytes.Buffer
	c := list()
	c.SetOut(&out)
	c.SetArgs([]string{"--tags", "@load"})
	require.NoError(t, c.Execute())
	for _, want := range []string{
		"load/what-two-private-gateways-add", `core +profile +0`, `extended +profile +\d+`, `header-routing +capability +0`, `expose +capability +[1-9]`, `at most 1m0s`,
	} {
		assert.Regexp(t, want, out.String())
	}
}

func TestBadMeasurementsAreRefusedBeforeAnythingIsMade(t *testing.T) {
	for want, args := range map[string][]string{
		"want them to rise": {"--rates", "100,50"},
		"0 s at 50":         {"--duration", "900ms"},
		"protocol":          {"--protocol", "SPDY"},
	} {
		c := (Program{}).load()
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(args)
		err := c.Execute()
		require.ErrorContains(t, err, want)
		assert.ErrorAs(t, err, new(*usage.Error))
	}
}
