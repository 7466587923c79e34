package features_test

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/suite"
)

func aMeasurement() features.Measurement {
	return features.Measurement{Rates: []int{50, 200}, Seconds: 10, Protocol: "HTTP/1.1", Connections: "kept", Ceiling: 800, Refusals: true}
}

func TestAMeasurementIsAFeature(t *testing.T) {
	made, err := features.Measure(aMeasurement())
	require.NoError(t, err)
	scenarios, err := suite.Select(made, suite.Selection{})
	require.NoError(t, err)
	var names []string
	for _, s := range scenarios {
		names = append(names, s.Name)
	}
	assert.Equal(t, []string{
		"50 requests a second through the gateways, and as many within the mesh",
		"200 requests a second through the gateways, and as many within the mesh",
		"The knee of the rate",
		"What a refusal costs the gateway beside what it costs to serve",
		"A peer that is denied asks ten times as often as the one that is served",
	}, names)
	text, err := fs.ReadFile(made, features.MeasureFile)
	require.NoError(t, err)
	assert.Contains(t, string(text), "for 10 seconds 400 requests a second leave c1")
	assert.Contains(t, string(text), "When 1 times in turn, for 10 seconds each, 50 requests a second for each share arrive at c2:")
}

func TestAMeasurementOutsideItsBoundsIsRefused(t *testing.T) {
	for want, change := range map[string]func(*features.Measurement){
		"no rates":             func(m *features.Measurement) { m.Rates = nil },
		"rate 0":               func(m *features.Measurement) { m.Rates = []int{0} },
		"rate 5001":            func(m *features.Measurement) { m.Rates = []int{5001} },
		"want them to rise":    func(m *features.Measurement) { m.Rates = []int{200, 200} },
		"0 s at 50":            func(m *features.Measurement) { m.Seconds = 0 },
		"at most 1000000":      func(m *features.Measurement) { m.Seconds = 3600 },
		"a knee up to 50":      func(m *features.Measurement) { m.Ceiling = 50 },
		`protocol "HTTP/3"`:    func(m *features.Measurement) { m.Protocol = "HTTP/3" },
		`connections "pooled"`: func(m *features.Measurement) { m.Connections = "pooled" },
	} {
		m := aMeasurement()
		change(&m)
		_, err := features.Measure(m)
		assert.ErrorContains(t, err, want)
	}
}
