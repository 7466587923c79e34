package reach

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAHopsOwnShareIsWhatItTookLessWhatItWaited(t *testing.T) {
	hop := readHop([]byte(`{"user_agent":"meshfed-load/n1.0","took_us":1500,"upstream_us":1200,"duration":1,"upstream_service_time":"1"}
{"user_agent":"meshfed-load/n1.7","took_us":"800","upstream_us":null}
{"user_agent":"meshfed-load/n12.0","took_us":9000}
{"user_agent":"meshfed-load/n2.0","took_us":9000}
2026-01-01 not JSON
{"user_agent":"meshfed-load/n1.9","took_us":5,"upstream_us":7}
`), "n1")
	assert.Equal(t, []time.Duration{300 * time.Microsecond, 800 * time.Microsecond, 0}, hop.Own)
	assert.Equal(t, time.Microsecond, hop.Resolution)
}

func TestTriesAreCountedByTheirNonce(t *testing.T) {
	count := map[string]int{}
	countNonces([]byte("{\"nonce\":\"A\"}\n{\"nonce\":\"AB\"}\nstarted A\n{\"path\":\"/A\",\"nonce\":null}\n{\"nonce\":\"A\",\"response_code\":403}\n"), count)
	assert.Equal(t, map[string]int{"A": 2, "AB": 1}, count)
}

func TestAMeshThatLogsWholeMillisecondsSaysSo(t *testing.T) {
	hop := readHop([]byte(`{"user_agent":"meshfed-load/n1.0","duration":7,"upstream_service_time":"2"}
{"user_agent":"meshfed-load/n1.1","duration":3,"upstream_service_time":"-"}
{"user_agent":"meshfed-load/n1.2"}
`), "n1")
	assert.Equal(t, []time.Duration{5 * time.Millisecond, 3 * time.Millisecond}, hop.Own)
	assert.Equal(t, time.Millisecond, hop.Resolution)
}

func TestTheProxysProcessorTimeIsReadFromItsProcess(t *testing.T) {
	used, err := envoyTime("1 (pilot-agent) S 0 1 1 0 -1 4 1 0 0 0 999 999 0 0 20 0\n" +
		"23 (envoy) S 1 23 1 0 -1 4194560 1 0 0 0 120 30 0 0 20 0 9 0\n")
	require.NoError(t, err)
	assert.Equal(t, 1500*time.Millisecond, used)
	_, err = envoyTime("1 (pilot-agent) S 0\n")
	assert.ErrorContains(t, err, "no process named envoy")
	_, err = envoyTime("23 (envoy) S 1\n")
	assert.Error(t, err)
}
