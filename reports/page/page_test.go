package page_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/page"
)

var started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// hostile is what a backend may answer.
const hostile = `</pre><script>alert("x")</script><img src="https://example.org/x">`

func figures(t *testing.T) reports.Figures {
	t.Helper()
	var f reports.Figures
	for _, one := range []reports.Figure{
		reports.SplitFigure{What: "reviews of c1", N: 1000, Confidence: 0.999, DetectableShift: 0.05, Power: 0.99, Shares: []reports.Share{
			{Backend: "reviews v1 of c1", Expected: 0.5, Count: 490, Low: 0.44, High: 0.54},
			{Backend: "reviews v2 of c2", Expected: 0.5, Count: 510, Low: 0.46, High: 0.56},
		}},
		reports.TruthTable{Name: "private ingress gateway of c2", Cells: []reports.Cell{
			{Client: "c1", SNI: "c2.example", Path: "/bookinfo", Method: "GET", Expected: reports.Granted, Got: reports.Granted, Arrivals: 1},
			{Client: "nobody", SNI: "c2.example", Path: "/bookinfo", Method: "GET", Expected: reports.Refused, Got: reports.Refused, Reason: "TLS alert 116"},
		}},
		reports.Revocation("cancel of the exposure", reports.NewConnection, 400, []float64{90, 110, 130, 240}),
		reports.LoadFigure{What: "c1 to c2", RatePerSecond: 200, DurationSeconds: 10, LagP99Millis: 0.1, LagLimitMillis: 1, Classes: []reports.LoadClass{{
			Identity: "c1", Outcome: "allowed", Count: 2000,
			Quantiles: []reports.LatencyQuantile{{Q: 0.5, Millis: 2}, {Q: 0.9, Millis: 3}, {Q: 0.99, Millis: 5}, {Q: 0.999, Millis: 9}},
			Histogram: []reports.LatencyBucket{{Millis: 1, Count: 500}, {Millis: 2, Count: 1000}, {Millis: 9, Count: 500}},
		}}},
		reports.LatencyShift{What: "through the gateways", Base: "within the mesh", Q: 0.999, BaseMillis: 2, WhatMillis: 3.5, LowMillis: 1.2, HighMillis: 1.8, Confidence: 0.999},
		reports.HopFigure{What: "through the gateways", RatePerSecond: 200, Requests: 2000, Hops: []reports.Hop{
			{Proxy: "egress gateway of c1", Count: 1990, ResolutionMillis: 0.001, Quantiles: []reports.LatencyQuantile{{Q: 0.5, Millis: 0.31}}},
		}},
		reports.CostFigure{What: "stranger", Proxy: "ingress gateway of c2", Outcome: "handshake refused", Requests: 600, NewConnections: true, CPUSeconds: 0.3},
		reports.Knee("through the gateways", 3, []reports.KneeStep{{RatePerSecond: 50, Sent: 250, Served: 250, P50Millis: 1, P90Millis: 2, P99Millis: 3, LagLimitMillis: 5}}),
	} {
		require.NoError(t, f.Add(one))
	}
	return f
}

func aReport(t *testing.T) reports.ConformanceReport {
	t.Helper()
	run := reports.Run{
		ID: "20260102-030405-1", Provider: "embedded", SuiteVersion: "v0.1.0", Started: started,
		Implementation: reports.Implementation{Name: "builtin", Version: "v0.1.0"},
		Topology:       reports.Topology{Lab: "lab", Clusters: []string{"c1", "c2", "c3"}},
		Versions:       map[string]string{"c1/kubernetes": "v1.36.3"},
		Selection:      reports.Selection{Scenarios: 3},
	}
	step := func(s reports.StepStatus, err string) []reports.Step {
		return []reports.Step{{Keyword: "Given", Text: "the meshes c1 and c2 are paired", Status: s, Error: err}}
	}
	return reports.Assemble(run, []reports.Scenario{
		{
			ID: "expose/a", Feature: "Expose", File: "expose.feature", Line: 3, Name: "Nothing by default", Tags: []string{"@core"},
			Verdict: reports.Passed, Steps: step(reports.StepPassed, ""), Figures: figures(t),
		},
		{
			ID: "expose/b", Feature: "Expose", File: "expose.feature", Line: 9, Name: "Only what is named", Tags: []string{"@core", "@acl"},
			Verdict: reports.Failed, Reason: hostile, Steps: step(reports.StepFailed, hostile),
			Evidence: []reports.EvidenceFile{
				{Path: "evidence/expose/b/requests.txt", SHA256: strings.Repeat("a", 64), Bytes: int64(len(hostile))},
				{Path: "evidence/expose/b/gone.txt", SHA256: strings.Repeat("b", 64), Bytes: 1},
			},
		},
		{
			ID: "consume/c", Feature: "Consume", File: "consume.feature", Line: 3, Name: "Stars", Tags: []string{"@extended"},
			Verdict: reports.NotSupported, Reason: "not declared by the engine: consume",
			Faults: []reports.Fault{{Kind: reports.FaultCapability, Text: "x"}},
		},
	}, reports.End{Finished: started.Add(time.Minute)})
}

func files() fstest.MapFS {
	return fstest.MapFS{"evidence/expose/b/requests.txt": {Data: []byte(hostile)}}
}

func written(t *testing.T, r reports.ConformanceReport) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, page.Write(&out, r, files()))
	return out.String()
}

// elements are all of the parsed page.
func elements(t *testing.T, text string) (all []*html.Node) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestTheVerdictComesFirst(t *testing.T) {
	text := written(t, aReport(t))
	headline := strings.Index(text, `<h1 id="headline">NOT CONFORMANT</h1>`)
	require.Positive(t, headline)
	for _, later := range []string{`id="features"`, `id="truth"`, `id="splits"`, `id="revocation"`, `id="load"`, `id="run"`} {
		assert.Greater(t, strings.Index(text, later), headline, later)
	}
}

func TestThePageLoadsNothingAndEveryLinkLeadsSomewhere(t *testing.T) {
	text := written(t, aReport(t))
	ids := map[string]bool{}
	all := elements(t, text)
	for _, n := range all {
		id := attribute(n, "id")
		assert.False(t, id != "" && ids[id], "id %s stands there twice", id)
		ids[id] = true
	}
	known := map[string]bool{"evidence/expose/b/requests.txt": true, "evidence/expose/b/gone.txt": true, "data:,": true}
	for _, n := range all {
		assert.Empty(t, attribute(n, "src"), "<%s>", n.Data)
		target := attribute(n, "href")
		inside, is := strings.CutPrefix(target, "#")
		inside, err := url.PathUnescape(inside)
		require.NoError(t, err)
		assert.True(t, target == "" || is && ids[inside] || known[target], "link to %q", target)
	}
	assert.Contains(t, text, "default-src 'none'", "and the browser is told so")
}

func TestWhatABackendAnsweredStaysText(t *testing.T) {
	scripts := 0
	for _, n := range elements(t, written(t, aReport(t))) {
		assert.NotEqual(t, "img", n.Data)
		if n.Data == "script" {
			scripts++
		}
	}
	assert.Equal(t, 1, scripts, "the page's own")
}

func TestEveryFigureIsDrawnAndNamed(t *testing.T) {
	text := written(t, aReport(t))
	for _, want := range []string{
		"3 meshes: c1, c2, c3", "private ingress gateway of c2", "2 cells", "TLS alert 116",
		"reviews v2 of c2: 51.00 % seen (510), wanted 50.00 %", "cancel of the exposure, new connections", "<polyline points=",
	} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, 4, strings.Count(text, `class="sample"`), "one dot per sample")
}

func TestARunWithoutAnythingIsAPageToo(t *testing.T) {
	text := written(t, reports.Assemble(reports.Run{}, nil, reports.End{SetupError: "c2: istiod: exit status 1"}))
	assert.Contains(t, text, "INCONCLUSIVE")
	assert.Contains(t, text, "istiod: exit status 1")
}

func TestTheFiguresOfLoadStandOnThePage(t *testing.T) {
	text := written(t, aReport(t))
	for _, want := range []string{
		`<svg class="chart histogram"`, "p99.9</td><td>1.50 ms</td><td>1.20 to 1.80 ms at 99.9 %</td><td>told only",
		"<td>egress gateway of c1</td><td>p50 0.31 ms </td><td>1990 of 2000</td>", "<td>a handshake each</td><td>0.500 ms</td><td>2000</td>",
		"through the gateways: 50 requests a second, then ceiling",
	} {
		assert.Contains(t, text, want)
	}
	bars := 0
	for _, e := range elements(t, text) {
		if e.Data == "rect" && e.Parent.Parent != nil && attribute(e.Parent.Parent, "class") == "chart histogram" {
			bars++
		}
	}
	assert.Equal(t, 3, bars, "one for each latency")
}
