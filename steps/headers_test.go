package steps

import (
	"context"
	"net/http"
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// told are meshes with one workload, which has seen each request with the
// headers of the mesh that it came from.
type told struct {
	Meshes
	answer map[string]http.Header
	names  map[string][]string
	values http.Header
	from   map[string]string
	tries  int
}

func (m *told) Inside(_ context.Context, mesh string, r Request, _ int) ([]traffic.Outcome, error) {
	m.from[r.Nonce] = mesh
	return []traffic.Outcome{{Kind: traffic.Allowed, Header: m.answer[mesh]}}, nil
}

func (m *told) Arrivals(_ context.Context, _, nonce string) ([]Arrival, error) {
	return []Arrival{{Names: m.names[m.from[nonce]], Header: m.values}}, nil
}

func (m *told) Tries(context.Context, string, string, string) (int, error) { return m.tries, nil }

func ways(names ...string) *godog.Table {
	table := &godog.Table{}
	for _, name := range names {
		table.Rows = append(table.Rows, &messages.PickleTableRow{Cells: []*messages.PickleTableCell{{Value: name}}})
	}
	return table
}

func TestARequestKeepsItsHeadersOnTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		there  []string
		answer http.Header
		values http.Header
		want   string
	}{
		"as it was":            {there: []string{"Accept", "X-Forwarded-For"}, answer: http.Header{"Date": {"2"}}},
		"one more":             {there: []string{"Accept", "Baggage"}, answer: http.Header{"Date": {"2"}}, want: "the request has the header Baggage, which"},
		"one less":             {there: []string{"X-Forwarded-For"}, answer: http.Header{"Date": {"2"}}, want: "the request lacks the header Accept, which"},
		"the answer, one more": {there: []string{"Accept"}, answer: http.Header{"Date": {"2"}, "Cache-Control": {"public"}}, want: "the answer has the header Cache-Control"},
		"the answer, one less": {there: []string{"Accept"}, answer: http.Header{}, want: "the answer lacks the header Date"},
		"another value":        {there: []string{"Accept"}, answer: http.Header{"Date": {"2"}}, values: http.Header{"End-User": {"jason"}}, want: `End-User was "jasmin" and arrived as ["jason"]`},
		"the same value":       {there: []string{"Accept"}, answer: http.Header{"Date": {"2"}}, values: http.Header{"End-User": {"jasmin"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWorld(Environment{Meshes: &told{
				from: map[string]string{}, values: c.values,
				answer: map[string]http.Header{"c1": c.answer, "c2": {"Date": {"1"}}},
				names:  map[string][]string{"c1": c.there, "c2": {"Accept"}},
			}})
			err := w.sameHeaders(t.Context(), "GET", "http://reviews:9080/", "c1", "GET", "http://myreviews:9080/", "c2", ways("X-Forwarded-For"))
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
			assert.NotErrorIs(t, err, reports.ErrInconclusive)
		})
	}
}

func TestARequestWhoseHeadersNobodyHasKeptProvesNothing(t *testing.T) {
	w := NewWorld(Environment{Meshes: &told{from: map[string]string{}}})
	assert.ErrorIs(t, w.sameHeaders(t.Context(), "GET", "http://a/", "c1", "GET", "http://b/", "c2", ways()), reports.ErrInconclusive)
}

func TestARefusedRequestIsSentOnce(t *testing.T) {
	m := &told{tries: 1}
	w := NewWorld(Environment{Meshes: m})
	assert.ErrorContains(t, w.tried(t.Context(), "c2", 1), "no request was refused before")
	w.denied = &denied{}
	assert.NoError(t, w.tried(t.Context(), "c2", 1))
	for _, tries := range []int{0, 4} {
		m.tries = tries
		assert.ErrorContains(t, w.tried(t.Context(), "c2", 1), "want 1")
	}
	assert.ErrorContains(t, w.tried(t.Context(), "c2", 0), "asked 4 times, want 0")
}
