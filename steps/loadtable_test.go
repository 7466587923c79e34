package steps

import (
	"strings"
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func loadRows(rows ...string) *godog.Table {
	t := &godog.Table{}
	for _, row := range rows {
		r := &messages.PickleTableRow{}
		for cell := range strings.SplitSeq(row, "|") {
			r.Cells = append(r.Cells, &messages.PickleTableCell{Value: strings.TrimSpace(cell)})
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func TestATableOfLoadIsAPlan(t *testing.T) {
	plan, as, err := loadPlan(10, 200, loadRows(
		"name   | request  | with             | share | connections",
		"honest | GET /a/  | c1's certificate | 1     | kept",
		"denied | POST /a/ | c3's certificate | 10    | fresh",
	))
	require.NoError(t, err)
	assert.Equal(t, 2000, plan.Count)
	require.Len(t, plan.Targets, 2)
	denied := plan.Targets[1]
	assert.Equal(t, "POST", denied.Method)
	assert.Equal(t, "/a/", denied.URL)
	assert.Equal(t, 10, denied.Share)
	assert.True(t, denied.FreshConnection)
	assert.Equal(t, Caller{Credentials: Own, Mesh: "c3"}, as["denied"])
	assert.NotEqual(t, plan.Targets[0].Nonce, denied.Nonce, "what arrived must be told apart")
}

func TestATableOfLoadThatIsNoneIsRefused(t *testing.T) {
	for want, rows := range map[string][]string{
		"at least one row":   {"name | request"},
		`column "method"`:    {"method", "a"},
		"a method and a URL": {"name | request", "a | /"},
		"want a number":      {"name | share", "a | many"},
		`"kept" or "fresh"`:  {"name | connections", "a | reused"},
		"c1's certificate":   {"name | with", "a | nobody's"},
	} {
		_, _, err := loadPlan(1, 1, loadRows(rows...))
		assert.ErrorContains(t, err, want)
	}
}
