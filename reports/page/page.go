// Package page writes a report as one HTML page: verdict first, then the
// features with their steps and evidence, and the figures drawn. It needs no
// network and loads nothing; the browser is told to refuse if it tried.
//
// It must not judge: what is red is red because the report says so.
package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/meshfed/meshfed/reports"
)

//go:embed page.html.tmpl
var document string

//go:embed style.css
var style string

//go:embed script.js
var script string

// shownBytes is how much of one evidence file stands on the page; the rest is
// behind the link.
const shownBytes = 8 << 10

// view is what the template sees.
type view struct {
	reports.ConformanceReport
	Style    template.CSS
	Script   template.JS
	Verdicts []verdictCount
	Features []feature
	Topology topology
	Splits   []splitChart
	Tables   []table
	Revoked  []revocationChart
	Loads    []loadChart
	Shifts   []ofScenario[reports.LatencyShift]
	Hops     []ofScenario[reports.HopFigure]
	Costs    []ofScenario[reports.CostFigure]
	Knees    []ofScenario[reports.KneeFigure]
}

type verdictCount struct {
	Verdict reports.Verdict
	N       int
}

type feature struct {
	Name, File string
	Worst      reports.Verdict
	Passed     int
	Scenarios  []scenario
}

type scenario struct {
	reports.Scenario
	Evidence []evidence
}

type evidence struct {
	reports.EvidenceFile
	// Text is the beginning of the file, if it is text and there.
	Text string
	Cut  bool
}

// Write writes the page. Evidence is read from files, the run's folder; what
// is not there is only linked.
func Write(w io.Writer, r reports.ConformanceReport, files fs.FS) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"hundred": func(q float64) float64 { return 100 * q },
		"percent": func(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) },
		"seconds": func(x float64) string { return fmt.Sprintf("%.2f s", x) },
		"gib":     func(b uint64) string { return fmt.Sprintf("%.1f GiB", float64(b)/(1<<30)) },
		"short":   func(s string) string { return s[:min(len(s), 12)] },
		"join":    func(all []string) string { return strings.Join(all, ", ") },
	}).Parse(document)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, newView(r, files)); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

func newView(r reports.ConformanceReport, files fs.FS) view {
	v := view{ConformanceReport: r, Style: template.CSS(style), Script: template.JS(script), Topology: newTopology(r.Topology)}
	for _, verdict := range reports.Verdicts() {
		if n := r.Summary.Count(verdict); n > 0 {
			v.Verdicts = append(v.Verdicts, verdictCount{verdict, n})
		}
	}
	index := map[string]int{}
	for _, s := range r.Scenarios {
		at, seen := index[s.File]
		if !seen {
			at = len(v.Features)
			index[s.File] = at
			v.Features = append(v.Features, feature{Name: s.Feature, File: s.File, Worst: reports.Passed})
		}
		v.Features[at].add(scenario{Scenario: s, Evidence: shown(s.Evidence, files)})
		v.draw(s)
	}
	return v
}

// worst orders verdicts by how much they ask for attention.
func worst(a, b reports.Verdict) reports.Verdict {
	order := map[reports.Verdict]int{
		reports.Failed: 6, reports.Flaky: 5, reports.Inconclusive: 4, reports.KnownGap: 3, reports.Skipped: 2, reports.NotSupported: 1,
	}
	if order[b] > order[a] {
		return b
	}
	return a
}

func (f *feature) add(s scenario) {
	f.Scenarios = append(f.Scenarios, s)
	f.Worst = worst(f.Worst, s.Verdict)
	if s.Verdict == reports.Passed {
		f.Passed++
	}
}

// Bad says that somebody has to look.
func (f feature) Bad() bool { return bad(f.Worst) }

// Bad says that somebody has to look.
func (s scenario) Bad() bool { return bad(s.Verdict) }

func bad(v reports.Verdict) bool {
	return v == reports.Failed || v == reports.Flaky || v == reports.Inconclusive
}

// Tagline is what the search box finds a scenario by, beside its name.
func (s scenario) Tagline() string { return strings.Join(s.Tags, " ") }

// shown reads the beginning of each file that is text.
func shown(files []reports.EvidenceFile, from fs.FS) []evidence {
	var all []evidence
	for _, f := range files {
		e := evidence{EvidenceFile: f}
		if content, err := fs.ReadFile(from, f.Path); err == nil && utf8.Valid(content) {
			e.Cut = len(content) > shownBytes
			e.Text = strings.ToValidUTF8(string(content[:min(len(content), shownBytes)]), "")
		}
		all = append(all, e)
	}
	return all
}
