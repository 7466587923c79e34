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

// told are meshes with one workload that has seen every request with the
// headers of its nonce.
type told struct {
	Meshes
	backend traffic.Backend
	seen    map[string][]string
	local   traffic.Outcome
	tries   int
}

func (m *told) Inside(_ context.Context, _ string, r Request, _ int) ([]traffic.Outcome, error) {
	m.seen[r.Nonce] = m.seen["local"]
	return []traffic.Outcome{m.local}, nil
}

func (m *told) Arrivals(_ context.Context, _, nonce string) ([]Arrival, error) {
	return []Arrival{{Service: m.backend.Service, Version: m.backend.Version, Names: m.seen[nonce]}}, nil
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
	backend := traffic.Backend{Service: "reviews", Version: "v2", Cluster: "c2"}
	answer := func(header http.Header) traffic.Outcome {
		return traffic.Outcome{Kind: traffic.Allowed, Backend: backend, Header: header}
	}
	for name, c := range map[string]struct {
		there  []string
		header http.Header
		want   string
	}{
		"as it was":            {[]string{"Accept", "X-Forwarded-For"}, http.Header{"Date": {"2"}}, ""},
		"one more":             {[]string{"Accept", "Baggage"}, http.Header{"Date": {"2"}}, "saw has the header Baggage, which"},
		"one less":             {[]string{"X-Forwarded-For"}, http.Header{"Date": {"2"}}, "saw lacks the header Accept, which"},
		"the answer, one more": {[]string{"Accept"}, http.Header{"Date": {"2"}, "Cache-Control": {"public"}}, "its answer has the header Cache-Control"},
		"the answer, one less": {[]string{"Accept"}, http.Header{}, "its answer lacks the header Date"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &told{backend: backend, local: answer(http.Header{"Date": {"1"}}), seen: map[string][]string{"local": {"Accept"}, "far": c.there}}
			w := NewWorld(Environment{Meshes: m})
			w.seen = &asked{nonce: "far", Outcome: answer(c.header)}
			err := w.sameHeaders(t.Context(), "GET", "http://reviews:9080/", "c2", ways("X-Forwarded-For"))
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
	m := &told{seen: map[string][]string{}, local: traffic.Outcome{Kind: traffic.Allowed}}
	w := NewWorld(Environment{Meshes: m})
	w.seen = &asked{nonce: "far"}
	assert.ErrorIs(t, w.sameHeaders(t.Context(), "GET", "http://reviews:9080/", "c2", ways()), reports.ErrInconclusive)
}

func TestARefusedRequestIsSentOnce(t *testing.T) {
	m := &told{tries: 1}
	w := NewWorld(Environment{Meshes: m})
	assert.ErrorContains(t, w.triedOnce(t.Context(), "c2"), "no request was refused before")
	w.denied = &denied{}
	assert.NoError(t, w.triedOnce(t.Context(), "c2"))
	for _, tries := range []int{0, 4} {
		m.tries = tries
		assert.ErrorContains(t, w.triedOnce(t.Context(), "c2"), "want once")
	}
}
