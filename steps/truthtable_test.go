package steps

import (
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tableOf(rows ...[]string) *godog.Table {
	t := &godog.Table{}
	for _, row := range rows {
		r := &messages.PickleTableRow{}
		for _, value := range row {
			r.Cells = append(r.Cells, &messages.PickleTableCell{Value: value})
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func TestATableIsReadRowByRowWithTheMethodsOfItsHeader(t *testing.T) {
	rows, err := tableRows("c2", tableOf(
		[]string{"certificate", "path", "GET", "POST"},
		[]string{"c1's certificate", "/a/", "reviews v3 of c2", never},
	))
	require.NoError(t, err)
	assert.Equal(t, []tableRow{{
		mesh: "c2", caller: "c1's certificate", path: "/a/", methods: []string{"GET", "POST"}, wants: []string{"reviews v3 of c2", never},
	}}, rows)
}

// A table that tries nothing would hold always.
func TestATableThatTriesNothingIsAnError(t *testing.T) {
	for _, rows := range [][][]string{
		{{"certificate", "path", "GET"}},
		{{"certificate", "path"}, {"c1's certificate", "/"}},
	} {
		_, err := tableRows("c2", tableOf(rows...))
		assert.ErrorContains(t, err, "want | certificate | path |")
	}
}
