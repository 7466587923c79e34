package accesslog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
)

func TestLinesAreReadAmongWhatElseAProxySays(t *testing.T) {
	got := slices.Collect(accesslog.Lines([]byte(`2026-01-02T03:04:05.000Z info starting
{"start_time":"2026-01-02T03:04:05.100Z","path":"/a","request_id":"x","response_code":200,"took_us":1500,"upstream_us":"12","duration":"-","upstream_service_time":null}
{"start_time":"2026-01-02T03:04:05.200Z","path":null,"response_code":"none","response_code_details":"filter_chain_not_found"}
{"start_time":"yesterday","path":"/b"}
["path"]
"text"
{"path":
`)))
	require.Len(t, got, 2)
	assert.Equal(t, "/a", got[0].Path)
	assert.Equal(t, 200, got[0].Code)
	assert.Equal(t, 100, int(got[0].Start.UnixMilli()%1000))
	assert.Equal(t, byte('}'), got[0].Raw[len(got[0].Raw)-1])
	assert.Equal(t, []accesslog.Number{{Value: 1500, Known: true}, {Value: 12, Known: true}, {}, {}},
		[]accesslog.Number{got[0].Took, got[0].Waited, got[0].Duration, got[0].Service})
	assert.Empty(t, got[1].Path)
	assert.Equal(t, "filter_chain_not_found", got[1].Details, "one odd field does not hide the others")
}
